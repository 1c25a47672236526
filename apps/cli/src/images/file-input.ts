// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { CliError, errnoOf, reasonOf, usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';

/** How an archive is called that comes through a pipe. */
export const STANDARD_INPUT = '-';

const CHUNK_BYTES = 256 * 1024;

/** The bytes of a file. @throws {CliError} ERR_RKT_CLI_FILE */
export async function* readFile(path: string): AsyncGenerator<Uint8Array, void> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK_BYTES });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new CliError('ERR_RKT_CLI_FILE', `cannot read ${quote(path)}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Passes bytes on, as many as there may be.
 * @throws {CliError} ERR_RKT_CLI_FILE for more than `maxBytes`
 */
export async function* upTo(
  maxBytes: number,
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void> {
  let left = maxBytes;
  for await (const chunk of bytes) {
    left -= chunk.length;
    if (left < 0) throw new CliError('ERR_RKT_CLI_FILE', `cannot read ${name}: it is larger than ${maxBytes} bytes`);
    yield chunk;
  }
}

/** Nobody types an image. */
export function terminalInput(what: string): CliError {
  return usageError(`standard input is a terminal: expected ${what}`, 'let it come from a file or a pipe');
}
