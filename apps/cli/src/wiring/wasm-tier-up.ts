// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';

/** V8's own budget of V8 13.6, to be put back. With another, every code cache of Node and of ours would be rejected from then on. */
const USUAL_BUDGET = 13_000_000;
const V8_OF_THAT_BUDGET = '13.6.';
/** V8's option is an int. */
const LARGE_BUDGET = 2 ** 31 - 1;

/** What of it is needed here; the types of Node leave it to those of browsers. */
declare const WebAssembly: { Module: new (bytes: Uint8Array) => object };

let postponed = false;

/**
 * Modules of WebAssembly that are made from now on stay as they are compiled first for 165 times as long as usual. undici reads
 * HTTP with one, which V8 would compile again after a handful of responses: 100 ms of a core, beside the first layers, for
 * what only looks at headers, as bodies pass it by. Does nothing on a V8 whose budget is not known. Idempotent.
 *
 * For a process that is the program's alone. V8 reads the budget when a module is made, so the option is on for that instant only.
 */
export function postponeWasmTierUp(): void {
  if (postponed || !process.versions.v8.startsWith(V8_OF_THAT_BUDGET)) return;
  postponed = true;
  const { Module } = WebAssembly;
  WebAssembly.Module = class extends Module {
    constructor(bytes: Uint8Array) {
      setFlagsFromString(`--wasm-tiering-budget=${LARGE_BUDGET}`);
      try {
        super(bytes);
      } finally {
        setFlagsFromString(`--wasm-tiering-budget=${USUAL_BUDGET}`);
      }
    }
  };
}
