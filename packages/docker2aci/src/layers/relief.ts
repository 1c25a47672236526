// SPDX-License-Identifier: Apache-2.0
import { getHeapStatistics } from 'node:v8';

/** Has the collector look at what a stream leaves behind. */
export interface Relief {
  /** So many bytes have been passed on and are garbage now. */
  passed(bytes: number): void;
}

/** How much may pile up: measured, a collection of the young generation then costs a thousandth of the time. */
const PILE_BYTES = 8 * 1024 * 1024;

/**
 * Buffers a socket fills are garbage once they are passed on, but all the collector sees of them is a small object each:
 * it lets tens of megabytes pile up. A program that has `globalThis.gc` (`rkt` does, by {@link exposeCollector}) is kept
 * leaner; elsewhere this does nothing.
 */
export function createRelief(): Relief {
  const collect = globalThis.gc;
  let pile = 0;
  return {
    passed(bytes) {
      pile += bytes;
      if (pile < PILE_BYTES) return;
      pile = 0;
      collect?.({ type: 'minor', execution: 'sync' });
    },
  };
}

/** Has the collector look at what a layer leaves behind. */
export interface HeapRelief {
  /** A layer is done, and its entries may be garbage now. */
  layerDone(): void;
}

/** What a thread has on its own is 7 MiB; with little more nothing is done. */
const LEAN_BYTES = 10 * 1024 * 1024;

/**
 * The heap of a young thread grows to some hundred megabytes before V8 collects it, and each thread of a conversion has one.
 * Where `globalThis.gc` is, it is collected whenever it has doubled, so that collecting costs no more than what was built.
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
