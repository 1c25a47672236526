// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { StoreContext } from '../context.ts';
import { hasErrno, isNotFound, printable, toStoreError } from '../errors.ts';
import type { AbortOptions } from '../store.ts';
import { damagedLayer, missingLayer, noteDamage } from './damaged-layer.ts';
import { isDiffId, layerTar } from './layout.ts';

const CHUNK_BYTES = 1024 * 1024;

/** See {@link Store.readLayer}. The last chunk is held back until all of them together are what the diffID says. */
export async function* readLayer(
  context: StoreContext,
  diffId: string,
  { signal }: AbortOptions = {},
): AsyncGenerator<Uint8Array, void> {
  if (!isDiffId(diffId)) {
    throw new TypeError(`diffID: expected sha256: and 64 hex digits, got ${printable(diffId)}`);
  }
  const path = layerTar(context.layout, diffId);
  const hash = createHash('sha256');
  let held: Uint8Array | undefined;
  try {
    for await (const chunk of chunksOf(path)) {
      signal?.throwIfAborted();
      if (held !== undefined) yield held;
      hash.update(chunk);
      held = chunk;
    }
  } catch (error) {
    if (!isNotFound(error) && !hasErrno(error, 'EIO')) throw toStoreError(error, `cannot read layer ${diffId}`, path);
    noteDamage(context, diffId, true);
    throw isNotFound(error) ? missingLayer(diffId, path) : damagedLayer(diffId, path, undefined);
  }
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== diffId) {
    noteDamage(context, diffId, true);
    throw damagedLayer(diffId, path, actual);
  }
  if (held !== undefined) yield held;
}

/** The next chunk is being read while the last one is used. */
async function* chunksOf(path: string): AsyncGenerator<Uint8Array, void> {
  await using file = await open(path, 'r');
  let next = readChunk(file);
  try {
    for (let chunk = await next; chunk.length > 0; chunk = await next) {
      next = readChunk(file);
      // Whoever asks for no more does not wait for it either.
      next.catch(() => undefined);
      yield chunk;
    }
  } finally {
    await next.catch(() => undefined);
  }
}

async function readChunk(file: FileHandle): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
  return buffer.subarray(0, bytesRead);
}
