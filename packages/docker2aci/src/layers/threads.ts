// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';

/** How the worker threads of a conversion are started, for programs that are bundled into one file. */
export interface WorkerFactories {
  /** Starts the program of `layers/layer-worker`. */
  readonly layer: () => Worker;
  /** Starts the program of `layers/hash-worker`. */
  readonly hash: () => Worker;
}

/** The workers of this package, from the files next to this one. */
export const packagedWorkers: WorkerFactories = {
  layer: () =>
    new Worker(new URL(import.meta.url.endsWith('.ts') ? './layer-worker.ts' : './layer-worker.js', import.meta.url)),
  hash: () =>
    new Worker(new URL(import.meta.url.endsWith('.ts') ? './hash-worker.ts' : './hash-worker.js', import.meta.url)),
};
