// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import type { LayerIngest, LayerRepository, PresentLayer } from '@rkt/appc';
import { isRegistryError, type Layer } from '@rkt/registry';
import type { ConversionLimits } from '../limits.ts';
import type { OnConversionProgress } from '../progress.ts';
import type { LayerJob, LayerSink, UnpackedLayer } from './layer-job.ts';
import { createRelief } from './relief.ts';
import type { ImageHashing } from './remote-hash.ts';
import { createLayerThread, type LayerThread } from './remote-unpack.ts';
import { type WorkerFactories, workerOptions } from './threads.ts';
import { unpackLayer } from './unpack.ts';

export interface FetchContext {
  readonly repository: LayerRepository;
  readonly onProgress: OnConversionProgress | undefined;
  readonly signal: AbortSignal | undefined;
  readonly concurrency: number;
  readonly limits: ConversionLimits;
  /** Undefined: everything runs on this thread. */
  readonly workers: WorkerFactories | undefined;
  readonly hashing: ImageHashing;
}

/** A blob of this many bytes or fewer is unpacked on the calling thread. */
const HERE_BYTES = 1024 * 1024;

/**
 * Brings all layers (base first) into the repository and hands them to the hashing from the top down. A diffID that the
 * image has twice is fetched once. Ends when all work has ended, also after a failure.
 */
export async function fetchLayers(layers: readonly Layer[], context: FetchContext): Promise<void> {
  const failure = new AbortController();
  const signal = context.signal === undefined ? failure.signal : AbortSignal.any([context.signal, failure.signal]);
  const threads = createThreads(context);
  const feed = topDownFeed(layers, context.hashing);
  // Taken from the top: hashing goes that way and is the longest chain of work, so it must never wait for its next layer.
  const left = [...uniqueLayers(layers)];
  const work = async (): Promise<void> => {
    for (let layer = left.pop(); layer !== undefined; layer = left.pop()) {
      const present = await fetchLayer(layer, { ...context, signal, threads });
      feed(layer.diffId, present);
    }
  };
  const guarded = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  // Threads die with the signal, so that no one waits for them; files are removed by those who made them.
  const end = (): void => void threads.terminate();
  signal.addEventListener('abort', end, { once: true });
  try {
    const lanes = Array.from({ length: context.concurrency }, guarded);
    await Promise.allSettled(lanes);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', end);
    await threads.terminate();
  }
}

function uniqueLayers(layers: readonly Layer[]): readonly Layer[] {
  return [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
}

/** Hands layers on in the order hashing wants them, as soon as all above have come. */
function topDownFeed(layers: readonly Layer[], hashing: ImageHashing): (diffId: string, layer: PresentLayer) => void {
  const arrived = new Map<string, PresentLayer>();
  let next = layers.length - 1;
  return (diffId, layer) => {
    arrived.set(diffId, layer);
    for (let wanted = layers[next]; wanted !== undefined; wanted = layers[next]) {
      const found = arrived.get(wanted.diffId);
      if (found === undefined) return;
      hashing.addLayer({ diffId: wanted.diffId, path: found.path, index: found.index });
      next -= 1;
    }
  };
}

interface LayerContext extends FetchContext {
  readonly signal: AbortSignal;
  readonly threads: Threads;
}

/** A host that sent wrong bytes is asked last from then on, so a second try may well go to another one. */
async function fetchLayer(layer: Layer, context: LayerContext): Promise<PresentLayer> {
  try {
    return await tryLayer(layer, context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!isWrongContent(error)) throw error;
    return tryLayer(layer, context);
  }
}

function isWrongContent(error: unknown): boolean {
  return (
    isRegistryError(error) &&
    (error.code === 'ERR_RKT_REGISTRY_DIGEST_MISMATCH' || error.code === 'ERR_RKT_REGISTRY_SIZE_MISMATCH')
  );
}

async function tryLayer(layer: Layer, context: LayerContext): Promise<PresentLayer> {
  const { signal, onProgress } = context;
  signal.throwIfAborted();
  const { diffId, descriptor } = layer;
  const { digest } = descriptor;
  const onWait = (): void => onProgress?.({ type: 'layer:wait', digest, diffId });
  const prepared = await context.repository.prepareLayer(diffId, { signal, onWait });
  if (prepared.state === 'present') {
    onProgress?.({ type: 'layer:present', digest, diffId });
    return prepared;
  }
  await using ingest = prepared;
  onProgress?.({ type: 'layer:start', digest, diffId, size: descriptor.size });
  const unpacked = await transfer(layer, ingest, context);
  signal.throwIfAborted();
  const present = await ingest.commit(unpacked);
  onProgress?.({ type: 'layer:done', digest, diffId, size: unpacked.size });
  return present;
}

async function transfer(layer: Layer, ingest: LayerIngest, context: LayerContext): Promise<UnpackedLayer> {
  const { signal, onProgress, limits, threads } = context;
  const { digest, mediaType, size } = layer.descriptor;
  const onBytes = (received: number): void => onProgress?.({ type: 'layer:bytes', digest, received, size });
  await using blob = await layer.open({ signal, onBytes });
  const job = { path: ingest.path, digest, mediaType, size, diffId: layer.diffId, limits };
  const sink = threads.unpack(job);
  const relief = createRelief();
  try {
    for await (const bytes of blob) {
      signal.throwIfAborted();
      await sink.push(bytes);
      relief.passed(bytes.length);
    }
    return await sink.finish();
  } catch (error) {
    sink.abort();
    // When the threads were ended because of the signal, that is the reason, not that they ended.
    signal.throwIfAborted();
    throw error;
  }
}

interface Threads {
  unpack(job: LayerJob): LayerSink;
  terminate(): Promise<void>;
}

/** Worker threads, started when first needed: as many as there are cores, or layers at once. */
function createThreads({ workers, concurrency }: FetchContext): Threads {
  const threads: LayerThread[] = [];
  const most = Math.min(availableParallelism(), concurrency);
  const leastBusy = (start: WorkerFactories): LayerThread => {
    const [first] = threads.toSorted((left, right) => left.openJobs - right.openJobs);
    if (first !== undefined && (first.openJobs === 0 || threads.length >= most)) return first;
    const thread = createLayerThread(start.layer(workerOptions));
    threads.push(thread);
    return thread;
  };
  return {
    unpack: (job) =>
      workers === undefined || job.size <= HERE_BYTES ? unpackLayer(job) : leastBusy(workers).unpack(job),
    terminate: async () => {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
