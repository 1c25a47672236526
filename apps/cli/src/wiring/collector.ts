// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Makes the garbage collector callable, for the parts that call it when they can (`Relief` of @rkt/docker2aci). V8's option
 * is on for an instant only: with other options than it was started with, it would reject the code cache of every module of
 * Node's that is loaded from then on.
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
