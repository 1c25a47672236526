// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import type { ImageHasherOptions } from './image-hasher.ts';
import type { ImageHashing } from './image-hashing.ts';
import { inTurns } from './in-turns.ts';
import type { LayerJob, LayerSink, OnEntries } from './layer-job.ts';
import { hashOnThread } from './remote-hash.ts';
import { createLayerThread, type LayerThread } from './remote-unpack.ts';
import { type StartWorker, workerOptions } from './start-worker.ts';
import { unpackLayer } from './unpack.ts';

/** The threads of one conversion. None is started before there is work for it: each takes 40 ms of a core to start. */
export interface ConversionThreads extends AsyncDisposable {
  /**
   * Unpacks a large layer on a worker that is idle, or on one more, or else on the thread that has least to do. Entries are
   * told of where that helps: not on the thread that hashes, which can do one thing after the other just as well.
   */
  unpack(job: LayerJob, onEntries: OnEntries): LayerSink;
  hash(options: ImageHasherOptions): ImageHashing;
  /** Idempotent. Layers that are not finished fail; hashing has a `dispose` of its own. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ConversionThreadsOptions {
  readonly startWorker: StartWorker;
  /** Workers for layers at most; nor are there more than cores. */
  readonly most: number;
  /**
   * Start as few as possible, for a conversion that is over in less than a second: the calling thread unpacks a layer, too,
   * and hashing is done by the first worker, which gets the top layer, as that is also hashed first. Otherwise hashing has
   * a worker of its own, and the calling thread only feeds them all: its heap does not grow with the image.
   */
  readonly few: boolean;
}

export function createConversionThreads({ startWorker, most, few }: ConversionThreadsOptions): ConversionThreads {
  const cores = availableParallelism();
  const limit = Math.min(most, few ? Math.max(1, cores - 1) : cores);
  const options = workerOptions({ lean: !few });
  const hashing = workerOptions({ lean: !few, hashes: true });
  const threads: LayerThread[] = [];
  let busyHere = !few;
  const start = (): LayerThread => {
    const thread = createLayerThread(startWorker(options));
    threads.push(thread);
    return thread;
  };
  const here = (job: LayerJob, onEntries: OnEntries): LayerSink => {
    busyHere = true;
    return whenEnded(inTurns(unpackLayer(job, onEntries)), () => {
      busyHere = false;
    });
  };
  const there = (thread: LayerThread, job: LayerJob, onEntries: OnEntries): LayerSink =>
    thread.unpack(job, few && thread === threads[0] ? undefined : onEntries);
  return {
    unpack: (job, onEntries) => {
      const [idlest] = threads.toSorted((left, right) => left.openJobs - right.openJobs);
      if (idlest?.openJobs === 0) return there(idlest, job, onEntries);
      if (idlest === undefined || threads.length < limit) return there(start(), job, onEntries);
      return busyHere ? there(idlest, job, onEntries) : here(job, onEntries);
    },
    hash: (image) => hashOnThread(few ? (threads[0] ?? start()).worker : startWorker(hashing), image),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

function whenEnded(sink: LayerSink, ended: () => void): LayerSink {
  return {
    push: (bytes) => sink.push(bytes),
    finish: () => sink.finish().finally(ended),
    settle: () => sink.settle(),
    abort: () => {
      ended();
      sink.abort();
    },
  };
}
