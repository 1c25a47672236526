// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { LayerIndexer } from '@rkt/appc';
import { hasErrno, isNotFound, toStoreError } from '../errors.ts';

/** What a layer's tar turned out to be. */
export type LayerState =
  /** `size` is bytes that were read. `index` is what follows from the tar; undefined when nothing does. */
  | { readonly kind: 'ok'; readonly size: number; readonly index: Uint8Array | undefined }
  | { readonly kind: 'missing' }
  /** `actual` is the diffID its bytes have; undefined when the disk does not give them back. */
  | { readonly kind: 'corrupt'; readonly actual: string | undefined };

const CHUNK_BYTES = 1024 * 1024;

export interface LayerFile {
  readonly diffId: string;
  readonly path: string;
}

/** Reads a layer tar once: its hash is compared with the diffID, its index made anew. @throws IO, PERMISSION, `signal.reason` */
export async function hashLayer({ diffId, path }: LayerFile, signal: AbortSignal | undefined): Promise<LayerState> {
  const hash = createHash('sha256');
  const indexing = await startIndexing();
  let size = 0;
  try {
    await readInChunks(path, signal, (chunk) => {
      size += chunk.length;
      hash.update(chunk);
      indexing.push(chunk);
    });
  } catch (error) {
    if (isNotFound(error)) return { kind: 'missing' };
    if (hasErrno(error, 'EIO')) return { kind: 'corrupt', actual: undefined };
    throw toStoreError(error, 'cannot read a layer', path);
  }
  const actual = `sha256:${hash.digest('hex')}`;
  return actual === diffId ? { kind: 'ok', size, index: indexing.finish() } : { kind: 'corrupt', actual };
}

interface Indexing {
  readonly push: (chunk: Uint8Array) => void;
  readonly finish: () => Uint8Array | undefined;
}

/** A damaged tar need not be one at all: what the indexer makes of it must not end the verification. */
async function startIndexing(): Promise<Indexing> {
  const { aciLayerLimits, createLayerIndexEncoder, createLayerIndexer } = await import('@rkt/appc');
  const encoder = createLayerIndexEncoder();
  // The tar may be an ACI; what either limit lets through, it says the same of.
  let indexer: LayerIndexer | undefined = createLayerIndexer(aciLayerLimits);
  const attempt = <T>(work: (live: LayerIndexer) => T): T | undefined => {
    try {
      return indexer && work(indexer);
    } catch {
      indexer = undefined;
      return undefined;
    }
  };
  return {
    push: (chunk) =>
      attempt((live) => {
        live.push(chunk);
        encoder.add(live.takeComplete());
      }),
    finish: () =>
      attempt((live) => {
        const { size, entries } = live.finish();
        encoder.add(entries);
        return encoder.finish(size);
      }),
  };
}

/** Two buffers: the next read is under way while the last one is used. */
async function readInChunks(
  path: string,
  signal: AbortSignal | undefined,
  use: (chunk: Uint8Array) => void,
): Promise<void> {
  await using handle = await open(path, 'r');
  let front = Buffer.allocUnsafe(CHUNK_BYTES);
  let back = Buffer.allocUnsafe(CHUNK_BYTES);
  let { bytesRead } = await handle.read(front, 0, CHUNK_BYTES);
  while (bytesRead > 0) {
    signal?.throwIfAborted();
    const next = handle.read(back, 0, CHUNK_BYTES);
    use(front.subarray(0, bytesRead));
    ({ bytesRead } = await next);
    [front, back] = [back, front];
  }
}
