// SPDX-License-Identifier: Apache-2.0
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** How the worker threads of a conversion are started, for programs that are bundled into one file. */
export interface WorkerFactories {
  /** Starts the program of `layers/layer-worker` with these options. */
  readonly layer: (options: WorkerOptions) => Worker;
  /** Starts the program of `layers/hash-worker` with these options. */
  readonly hash: (options: WorkerOptions) => Worker;
}

/** Buffers are large and short-lived here: a small nursery has them collected before they pile up. */
export const workerOptions: WorkerOptions = { resourceLimits: { maxYoungGenerationSizeMb: 3 } };

/** The workers of this package, from the files next to this one. */
export const packagedWorkers: WorkerFactories = {
  layer: (options) => start('layer-worker', options),
  hash: (options) => start('hash-worker', options),
};

function start(name: string, options: WorkerOptions): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./${name}.${extension}`, import.meta.url), options);
}
