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
    globalThis.gc = runInNewContext('gc');
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
