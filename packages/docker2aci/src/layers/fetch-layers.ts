// SPDX-License-Identifier: Apache-2.0
import type { LayerIngest, LayerRepository } from '@rkt/appc';
import { isRegistryError, type Layer } from '@rkt/registry';
import type { ConversionLimits } from '../limits.ts';
import type { OnConversionProgress } from '../progress.ts';
import type { ConversionThreads } from './conversion-threads.ts';
import type { ExpectedLayer, HashFeed } from './hash-feed.ts';
import { inTurns } from './in-turns.ts';
import type { UnpackedLayer } from './layer-job.ts';
import { unpackLayer } from './unpack.ts';

export interface FetchContext {
  readonly repository: LayerRepository;
  readonly onProgress: OnConversionProgress | undefined;
  readonly signal: AbortSignal | undefined;
  /** Large layers at once; as many small ones are fetched beside them. */
  readonly concurrency: number;
  readonly limits: ConversionLimits;
  /** For large layers; they end with a failure. Undefined: everything runs on this thread. */
  readonly threads: ConversionThreads | undefined;
  /** Told of each diffID once, in any order, as soon as its tar can be read. */
  readonly feed: HashFeed;
}

/** A layer whose blob has this many bytes or fewer is small, and unpacked on the calling thread. */
const SMALL_LAYER_BYTES = 4 * 1024 * 1024;

/**
 * Brings all layers (base first) into the repository. A diffID that the image has twice is fetched once. Ends when all
 * work has ended, also after a failure.
 */
export async function fetchLayers(layers: readonly Layer[], context: FetchContext): Promise<void> {
  const failure = new AbortController();
  const signal = context.signal === undefined ? failure.signal : AbortSignal.any([context.signal, failure.signal]);
  const { threads } = context;
  const work = async (left: Layer[]): Promise<void> => {
    try {
      for (let layer = left.pop(); layer !== undefined; layer = left.pop()) {
        await fetchLayer(layer, { ...context, signal });
      }
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  // Threads die with the signal, so that no one waits for them; files are removed by those who made them.
  const end = (): void => void threads?.[Symbol.asyncDispose]();
  signal.addEventListener('abort', end, { once: true });
  try {
    const lanes = queues(layers).flatMap((queue) => Array.from({ length: context.concurrency }, () => work(queue)));
    await Promise.allSettled(lanes);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/**
 * Each diffID once, to be taken from the end, which is the top of the image: hashing goes that way and is the longest
 * chain of work, so it must never wait for its next layer. Small layers, whose time is all in waiting for the network and
 * the disk, have a queue of their own: they must not keep a core from the large ones.
 */
function queues(layers: readonly Layer[]): readonly Layer[][] {
  const unique = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
  return [unique.filter(isLarge), unique.filter((layer) => !isLarge(layer))];
}

function isLarge({ descriptor }: Layer): boolean {
  return descriptor.size > SMALL_LAYER_BYTES;
}

interface LayerContext extends FetchContext {
  readonly signal: AbortSignal;
}

/** A host that sent wrong bytes is asked last from then on, so a second try may well go to another one. */
async function fetchLayer(layer: Layer, context: LayerContext): Promise<void> {
  try {
    await tryLayer(layer, context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!isWrongContent(error)) throw error;
    await tryLayer(layer, context);
  }
}

function isWrongContent(error: unknown): boolean {
  return (
    isRegistryError(error) &&
    (error.code === 'ERR_RKT_REGISTRY_DIGEST_MISMATCH' || error.code === 'ERR_RKT_REGISTRY_SIZE_MISMATCH')
  );
}

async function tryLayer(layer: Layer, context: LayerContext): Promise<void> {
  const { signal, onProgress, feed } = context;
  signal.throwIfAborted();
  const { diffId, descriptor } = layer;
  const { digest } = descriptor;
  const onWait = (): void => onProgress?.({ type: 'layer:wait', digest, diffId });
  const prepared = await context.repository.prepareLayer(diffId, { signal, onWait });
  if (prepared.state === 'present') {
    onProgress?.({ type: 'layer:present', digest, diffId });
    feed.arrive(diffId, prepared);
    return;
  }
  await using ingest = prepared;
  onProgress?.({ type: 'layer:start', digest, diffId, size: descriptor.size });
  const expected = feed.expect(diffId, ingest.path);
  const unpacked = await transfer(layer, { ingest, expected }, context);
  signal.throwIfAborted();
  await ingest.commit(unpacked);
  onProgress?.({ type: 'layer:done', digest, diffId, size: unpacked.size });
}

interface Target {
  readonly ingest: LayerIngest;
  readonly expected: ExpectedLayer;
}

async function transfer(layer: Layer, { ingest, expected }: Target, context: LayerContext): Promise<UnpackedLayer> {
  const { signal, onProgress, limits, threads } = context;
  const { digest, mediaType, size } = layer.descriptor;
  const onBytes = (received: number): void => onProgress?.({ type: 'layer:bytes', digest, received, size });
  const job = { path: ingest.path, digest, mediaType, size, diffId: layer.diffId, limits };
  // Before the blob is asked for: a thread starts while the registry looks.
  const sink =
    threads === undefined || !isLarge(layer) ? inTurns(unpackLayer(job)) : threads.unpack(job, expected.onEntries);
  try {
    await using blob = await layer.open({ signal, onBytes, releaseChunks: true });
    for await (const bytes of blob) {
      signal.throwIfAborted();
      await sink.push(bytes);
    }
    const unpacked = await sink.finish();
    signal.throwIfAborted();
    // Hashing need not wait for the disk.
    expected.arrive(unpacked.index);
    await sink.settle();
    return unpacked;
  } catch (error) {
    sink.abort();
    // When the threads were ended because of the signal, that is the reason, not that they ended.
    signal.throwIfAborted();
    throw error;
  }
}
