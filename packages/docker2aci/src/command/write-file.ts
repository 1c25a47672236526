// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';

/** Writes a whole file or none; one that is there is replaced. @throws ConversionError `IO`, `DISK_FULL`; what `bytes` throws */
export async function writeWholeFile(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  // Of a killed process nobody knows any more, nor of one in another PID namespace: no two have the same.
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await pipeline(bytes, createWriteStream(temporary, { flags: 'wx', flush: true }), { signal });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    signal.throwIfAborted();
    if (error instanceof ConversionError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw toIoError(error, 'cannot write', path);
  }
}
