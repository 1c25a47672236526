// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads';

/** How the worker threads of a conversion are started, for programs that are bundled into one file. */
export interface WorkerFactories {
  /** Starts the program of `layers/layer-worker`. */
  readonly layer: () => Worker;
  /** Starts the program of `layers/hash-worker`. */
  readonly hash: () => Worker;
}

/** Buffers are large and short-lived here: a small nursery has them collected before they pile up. */
const resourceLimits = { maxYoungGenerationSizeMb: 3 };

/** The workers of this package, from the files next to this one. */
export const packagedWorkers: WorkerFactories = {
  layer: () => start('layer-worker'),
  hash: () => start('hash-worker'),
};

function start(name: string): Worker {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./${name}.${extension}`, import.meta.url), { resourceLimits });
}
