// SPDX-License-Identifier: Apache-2.0
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Starts the program of `layers/conversion-worker` with these options, for programs that are bundled into one file. */
export type StartWorker = (options: WorkerOptions) => Worker;

/** Buffers are large and short-lived here: a small nursery has them collected before they pile up. */
export const workerOptions: WorkerOptions = { resourceLimits: { maxYoungGenerationSizeMb: 3 } };

/** The worker of this package, from the file next to this one. */
export const startPackagedWorker: StartWorker = (options) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./conversion-worker.${extension}`, import.meta.url), options);
};
