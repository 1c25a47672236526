// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CliError, errnoOf, reasonOf } from '../errors.ts';
import { quote } from '../render/quote.ts';

export interface OutputFile {
  readonly path: string;
  readonly overwrite: boolean;
  /** How the file is called in messages, `ACI` for example. */
  readonly what: string;
  readonly signal: AbortSignal;
}

/**
 * Writes a file. One that is there is an error or, to be overwritten, stays until the new one is whole.
 * @throws {CliError} ERR_RKT_CLI_FILE; nothing half-written is left
 */
export async function writeOutputFile(file: OutputFile, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  if (!file.overwrite) return await createFile(file.path, file, bytes);
  const temporary = `${file.path}.${randomUUID()}.tmp`;
  await createFile(temporary, file, bytes);
  try {
    await rename(temporary, file.path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannotWrite(file.path, error);
  }
}

/** Never writes into a file that is there, and leaves no half of one. */
async function createFile(
  path: string,
  { path: shown, what, signal }: OutputFile,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  const stream = createWriteStream(path, { flags: 'wx', mode: 0o644, flush: true });
  let isOurs = false;
  stream.once('open', () => {
    isOurs = true;
  });
  try {
    await pipeline(bytes, stream, { signal });
  } catch (error) {
    if (isOurs) await rm(path, { force: true });
    if (signal.aborted) throw signal.reason;
    if (errnoOf(error) === 'EEXIST') {
      throw new CliError('ERR_RKT_CLI_FILE', `output ${what} file exists (try --overwrite)`, { cause: error });
    }
    throw cannotWrite(shown, error);
  }
}

/** An error of the system about the output; every other stays what it is. */
export function cannotWrite(path: string, error: unknown): unknown {
  if (errnoOf(error) === undefined) return error;
  return new CliError('ERR_RKT_CLI_FILE', `cannot write ${quote(path)}: ${reasonOf(error)}`, { cause: error });
}
