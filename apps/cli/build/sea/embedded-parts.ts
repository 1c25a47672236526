// SPDX-License-Identifier: Apache-2.0
import { getAsset } from 'node:sea';
import { Worker } from 'node:worker_threads';
import type { EmbeddedParts } from '../../src/wiring/embedded-parts.ts';

/** The worker, started from the script the executable carries. */
export const embeddedParts: EmbeddedParts | undefined = {
  startWorker: (options) => new Worker(getAsset('conversion-worker.cjs', 'utf8'), { ...options, eval: true }),
};
