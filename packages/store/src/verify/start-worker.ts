// SPDX-License-Identifier: Apache-2.0
import type { Worker, WorkerOptions } from 'node:worker_threads';

/** Starts the program of `verify/hashing-worker` with these options, for programs that are bundled into one file. */
export type StartWorker = (options: WorkerOptions) => Worker | Promise<Worker>;

/** The worker of this package, from the file next to this one. */
export const startPackagedWorker: StartWorker = async (options) => {
  const { Worker } = await import('node:worker_threads');
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./hashing-worker.${extension}`, import.meta.url), options);
};
