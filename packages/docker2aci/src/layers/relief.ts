// SPDX-License-Identifier: Apache-2.0

/** Has the collector look at what a stream leaves behind. */
export interface Relief {
  /** So many bytes have been passed on and are garbage now. */
  passed(bytes: number): void;
}

/** How much may pile up: measured, a collection of the young generation then costs a thousandth of the time. */
const PILE_BYTES = 8 * 1024 * 1024;

/**
 * Buffers a socket fills are garbage once they are passed on, but all the collector sees of them is a small object each:
 * it lets tens of megabytes pile up. A program that has `globalThis.gc` (`rkt` does) is kept leaner;
 * elsewhere this does nothing.
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
