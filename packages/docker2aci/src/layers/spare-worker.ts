// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { type StartWorker, startPackagedWorker, workerOptions } from './start-worker.ts';

/** A worker thread that starts before it is known whether a conversion has work for it. */
export interface SpareWorker extends AsyncDisposable {
  /** Gives the spare worker to the first who wants one, if it wants one like it, and starts others. For `convertImage`. */
  readonly startWorker: StartWorker;
  /** Ends the worker if nobody has taken it. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a worker as those of medium images are. It takes a core some 40 ms to start, which is idle while a registry is asked
 * what there is to convert; where it turns out that there is nothing for it to do, that was for nothing. Where there is one core
 * only, none is started.
 *
 * @param startWorker as for `convertImage`
 */
export function createSpareWorker(startWorker: StartWorker = startPackagedWorker): SpareWorker {
  let spare = availableParallelism() > 1 ? startWorker(workerOptions({ lean: false })) : undefined;
  const take = (): Worker | undefined => {
    const taken = spare;
    spare = undefined;
    taken?.off('error', take).off('exit', take);
    return taken;
  };
  // Nobody waits for it yet: one that cannot start is none.
  spare?.on('error', take).on('exit', take);
  return {
    startWorker: (options) => {
      const taken = take();
      if (taken !== undefined && options.resourceLimits === undefined) return taken;
      // Whoever wants another kind wants no more of this one.
      void taken?.terminate();
      return startWorker(options);
    },
    [Symbol.asyncDispose]: async () => {
      await take()?.terminate();
    },
  };
}
