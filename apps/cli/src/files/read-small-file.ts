// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The text of a file, which may be a pipe as well: `limit` bytes at most, whatever it says its size is.
 * Throws an Error for more, and the system's.
 */
export function readSmallFile(path: string, limit: number): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(limit + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= limit; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, null);
    }
    if (length > limit) throw new Error(`it is larger than ${limit} bytes`);
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}
