// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readSync } from 'node:fs';
import { CliError, errnoOf, reasonOf } from '../errors.ts';
import { quote } from '../render/quote.ts';

/**
 * The bytes of a file, whatever it is: what has no size, such as a pipe, is read no further than that either. `kind` is
 * what a failure calls it.
 * @throws {CliError} ERR_RKT_CLI_FILE for what cannot be read or is larger than `maxBytes`
 */
export function readSmallFile(path: string, maxBytes: number, kind?: string): Buffer {
  const failure = `cannot read ${kind === undefined ? '' : `${kind} `}${quote(path)}`;
  try {
    const bytes = readUpTo(path, maxBytes + 1);
    if (bytes.length <= maxBytes) return bytes;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new CliError('ERR_RKT_CLI_FILE', `${failure}: ${reasonOf(error)}`, { cause: error });
  }
  throw new CliError('ERR_RKT_CLI_FILE', `${failure}: it is larger than ${maxBytes} bytes`);
}

function readUpTo(path: string, length: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(length);
    let filled = 0;
    for (;;) {
      const count = readSync(fd, buffer, filled, length - filled, null);
      filled += count;
      if (count === 0 || filled === length) return buffer.subarray(0, filled);
    }
  } finally {
    closeSync(fd);
  }
}
