// SPDX-License-Identifier: Apache-2.0
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Starts the program of `layers/conversion-worker` with these options, for programs that are bundled into one file. */
export type StartWorker = (options: WorkerOptions) => Worker;

/** What the program of a worker is told at its start. */
export interface WorkerData {
  /** Whether to have a collector of its own, as the thread that started it has. */
  readonly collector: boolean;
}

export function workerOptions(): WorkerOptions {
  const workerData: WorkerData = { collector: globalThis.gc !== undefined };
  // Buffers are large and short-lived here: a small nursery has them collected before they pile up.
  return { resourceLimits: { maxYoungGenerationSizeMb: 3 }, workerData };
}

/** The worker of this package, from the file next to this one. */
export const startPackagedWorker: StartWorker = (options) => {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./conversion-worker.${extension}`, import.meta.url), options);
};
