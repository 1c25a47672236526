// SPDX-License-Identifier: Apache-2.0
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Starts the program of `layers/conversion-worker` with these options, for programs that are bundled into one file. */
export type StartWorker = (options: WorkerOptions) => Worker;

/** What the program of a worker is told at its start. */
export interface WorkerData {
  /** Whether to have a collector of its own. */
  readonly collector: boolean;
}

export interface WorkerUse {
  /**
   * Keeps the heap small at the cost of time: a small nursery, so that buffers, which are large and short-lived here, are
   * collected before they pile up, and a collector to call. In less than a second nothing piles up.
   */
  readonly lean: boolean;
  /** It does nothing but hash. */
  readonly hashes?: boolean;
}

export function workerOptions({ lean, hashes = false }: WorkerUse): WorkerOptions {
  const workerData: WorkerData = { collector: lean && globalThis.gc !== undefined };
  if (!lean) return { workerData };
  // Hashing goes through the entries of a layer, which would outlive a smaller nursery and be kept as if they were of use.
  return { resourceLimits: { maxYoungGenerationSizeMb: hashes ? 9 : 3 }, workerData };
}

/** The worker of this package, from the file next to this one. */
export const startPackagedWorker: StartWorker = (options) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./conversion-worker.${extension}`, import.meta.url), options);
};
