// SPDX-License-Identifier: Apache-2.0
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Starts the program of `layers/conversion-worker` with these options, for programs that are bundled into one file. */
export type StartWorker = (options: WorkerOptions) => Worker;

/** What the program of a worker is told at its start. */
export interface WorkerData {
  /** Whether to have a collector of its own. */
  readonly collector: boolean;
}

/**
 * @param lean keeps the heap small at the cost of time: a small nursery, so that buffers, which are large and short-lived here,
 * are collected before they pile up, and a collector to call. In less than a second nothing piles up.
 */
export function workerOptions({ lean }: { readonly lean: boolean }): WorkerOptions {
  const workerData: WorkerData = { collector: lean && globalThis.gc !== undefined };
  return lean ? { resourceLimits: { maxYoungGenerationSizeMb: 3 }, workerData } : { workerData };
}

/** The worker of this package, from the file next to this one. */
export const startPackagedWorker: StartWorker = (options) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./conversion-worker.${extension}`, import.meta.url), options);
};
