// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { layerIndex, layerTar } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { isNotFound, toStoreError } from '../errors.ts';

/** What a layer's files turned out to be. */
export type LayerState =
  | { readonly kind: 'ok' | 'missing' }
  /** `actual` is the diffID its bytes have. */
  | { readonly kind: 'corrupt'; readonly actual: string };

const CHUNK_BYTES = 1024 * 1024;

/** Hashes a layer tar and compares with its diffID. @throws IO, PERMISSION, or the signal's reason */
export async function hashLayer(
  context: StoreContext,
  diffId: string,
  signal: AbortSignal | undefined,
): Promise<LayerState> {
  const path = layerTar(context.layout, diffId);
  if (!existsSync(layerIndex(context.layout, diffId))) return { kind: 'missing' };
  try {
    const actual = `sha256:${await sha256OfFile(path, signal)}`;
    return actual === diffId ? { kind: 'ok' } : { kind: 'corrupt', actual };
  } catch (error) {
    if (isNotFound(error)) return { kind: 'missing' };
    throw toStoreError(error, 'cannot read a layer', path);
  }
}

/** Two buffers: the next read is under way while the last one is hashed. */
async function sha256OfFile(path: string, signal: AbortSignal | undefined): Promise<string> {
  await using handle = await open(path, 'r');
  const hash = createHash('sha256');
  let front = Buffer.allocUnsafe(CHUNK_BYTES);
  let back = Buffer.allocUnsafe(CHUNK_BYTES);
  let { bytesRead } = await handle.read(front, 0, CHUNK_BYTES);
  while (bytesRead > 0) {
    signal?.throwIfAborted();
    const next = handle.read(back, 0, CHUNK_BYTES);
    hash.update(front.subarray(0, bytesRead));
    ({ bytesRead } = await next);
    [front, back] = [back, front];
  }
  return hash.digest('hex');
}
