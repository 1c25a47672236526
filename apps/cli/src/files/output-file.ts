// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CliError, errnoOf, reasonOf } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { isThere } from './is-there.ts';

export interface OutputFile {
  readonly path: string;
  readonly overwrite: boolean;
  /** How the file is called in messages, `ACI` for example. */
  readonly what: string;
  readonly signal: AbortSignal;
}

/**
 * Writes a file. It gets its name when it is whole; one that is there is an error or, to be overwritten, stays until then.
 * @throws {CliError} ERR_RKT_CLI_FILE; what gives the bytes throws; nothing half-written is left
 */
export async function writeOutputFile(file: OutputFile, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const { path, overwrite, what } = file;
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    if (!overwrite && isThere(path)) throw alreadyThere(what);
    await createFile(temporary, file, bytes);
    if (overwrite) await rename(temporary, path);
    else await renameToNew(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!overwrite && errnoOf(error) === 'EEXIST') throw alreadyThere(what, error);
    throw cannotWrite(path, error);
  }
}

function alreadyThere(what: string, cause?: unknown): CliError {
  return new CliError('ERR_RKT_CLI_FILE', `output ${what} file exists (try --overwrite)`, { cause });
}

async function createFile(path: string, { signal }: OutputFile, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const stream = createWriteStream(path, { flags: 'wx', mode: 0o644, flush: true });
  try {
    await pipeline(bytes, stream, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/** What file systems answer that know no hard links. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Never in place of something that came meanwhile; where there are no hard links, as far as can be seen. */
async function renameToNew(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error)) || isThere(path)) throw error;
    await rename(temporary, path);
    return;
  }
  await rm(temporary);
}

/** An error of the system about the output; every other stays what it is. */
export function cannotWrite(path: string, error: unknown): unknown {
  if (errnoOf(error) === undefined) return error;
  return new CliError('ERR_RKT_CLI_FILE', `cannot write ${quote(path)}: ${reasonOf(error)}`, { cause: error });
}
