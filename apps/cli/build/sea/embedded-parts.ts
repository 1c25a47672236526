// SPDX-License-Identifier: Apache-2.0
import { getAsset } from 'node:sea';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { EmbeddedParts } from '../../src/wiring/embedded-parts.ts';

/** The workers, started from the scripts the executable carries. */
export const embeddedParts: EmbeddedParts | undefined = {
  startWorker: (options) => start('conversion-worker', options),
  startHashing: (options) => start('hashing-worker', options),
};

function start(script: string, options: WorkerOptions): Worker {
  return new Worker(getAsset('start-worker.cjs', 'utf8'), { ...options, argv: [script], eval: true });
}
