// SPDX-License-Identifier: Apache-2.0
import { getAsset } from 'node:sea';
import { Worker } from 'node:worker_threads';
import type { EmbeddedParts } from '../../src/wiring/embedded-parts.ts';

/** The workers, started from the scripts the executable carries. */
export const embeddedParts: EmbeddedParts | undefined = {
  workers: {
    layer: (options) => new Worker(getAsset('layer-worker.cjs', 'utf8'), { ...options, eval: true }),
    hash: (options) => new Worker(getAsset('hash-worker.cjs', 'utf8'), { ...options, eval: true }),
  },
};
