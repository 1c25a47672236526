// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import type { AbortOptions } from './image/image.ts';

const CHUNK_BYTES = 1 << 18;

/**
 * A file of at most `maxBytes`, undefined if it is longer: whatever it is, a device or a pipe, no more is read of it.
 * Rejects as the system does.
 */
export async function readLimitedFile(
  path: string,
  maxBytes: number,
  { signal }: AbortOptions = {},
): Promise<Buffer | undefined> {
  await using file = await open(path);
  const chunks: Buffer[] = [];
  let length = 0;
  while (length <= maxBytes) {
    signal?.throwIfAborted();
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
    if (bytesRead === 0) return Buffer.concat(chunks, length);
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
  return undefined;
}
