// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import type { LayerJob, LayerSink } from './layer-job.ts';
import { createLayerThread, type LayerThread } from './remote-unpack.ts';
import { type WorkerFactories, workerOptions } from './threads.ts';

/** Worker threads that unpack the layers of one conversion. */
export interface LayerThreads extends AsyncDisposable {
  /** Starts another thread if all are busy and there is a core left. */
  unpack(job: LayerJob): LayerSink;
  /** Idempotent. Jobs that are not finished fail. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** No thread is started before there is a job for it, and no more than `most` or there are cores. */
export function createLayerThreads(workers: WorkerFactories, most: number): LayerThreads {
  const limit = Math.min(availableParallelism(), most);
  const threads: LayerThread[] = [];
  const leastBusy = (): LayerThread => {
    const [first] = threads.toSorted((left, right) => left.openJobs - right.openJobs);
    if (first !== undefined && (first.openJobs === 0 || threads.length >= limit)) return first;
    const thread = createLayerThread(workers.layer(workerOptions));
    threads.push(thread);
    return thread;
  };
  return {
    unpack: (job) => leastBusy().unpack(job),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
