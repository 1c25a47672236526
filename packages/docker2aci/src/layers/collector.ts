// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives this thread `globalThis.gc`, with which a conversion keeps its memory lean: on the calling thread, and on those it
 * starts itself. For programs whose process is theirs alone, before they convert; a library has no business with V8's options.
 * The option is on for an instant only: with other options than it was started with, V8 would reject the code cache of every
 * module of Node's that is loaded from then on.
 */
export function exposeCollector(): void {
  if (globalThis.gc !== undefined) return;
  setFlagsFromString('--expose-gc');
  try {
    // Should a later V8 not take the option any more, there is no such function, and everything works without.
    globalThis.gc = runInNewContext('typeof gc === "function" ? gc : undefined');
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
