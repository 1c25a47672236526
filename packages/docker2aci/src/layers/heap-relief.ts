// SPDX-License-Identifier: Apache-2.0
import { getHeapStatistics } from 'node:v8';

/** Has the collector look at what a layer leaves behind. */
export interface HeapRelief {
  /** A layer is done, and its entries may be garbage now. */
  layerDone(): void;
}

/** What a thread has on its own is 7 MiB; with little more nothing is done. */
const LEAN_BYTES = 10 * 1024 * 1024;

/**
 * The heap of a young thread grows to some hundred megabytes before V8 collects it, and each thread of a conversion has one.
 * Where `globalThis.gc` is ({@link exposeCollector}), it is collected whenever it has doubled, so that collecting costs no more than what was built.
 */
export function createHeapRelief(): HeapRelief {
  const collect = globalThis.gc;
  let kept = 0;
  const relieve = (): void => {
    if (collect === undefined || heapBytes() < LEAN_BYTES + 2 * kept) return;
    collect({ type: 'major', execution: 'sync' });
    kept = heapBytes();
  };
  return {
    // Later: whoever calls still holds what the layer leaves.
    layerDone: () => void setImmediate(relieve),
  };
}

function heapBytes(): number {
  return getHeapStatistics().used_heap_size;
}
