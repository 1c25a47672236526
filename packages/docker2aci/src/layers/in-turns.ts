// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import type { LayerSink } from './layer-job.ts';

/** A sink of the calling thread that lets others have their turn after each piece: this thread also feeds the workers. */
export function inTurns(sink: LayerSink): LayerSink {
  return {
    push: async (bytes) => {
      await sink.push(bytes);
      await setImmediate();
    },
    finish: () => sink.finish(),
    settle: () => sink.settle(),
    abort: () => sink.abort(),
  };
}
