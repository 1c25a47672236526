// SPDX-License-Identifier: Apache-2.0
import type { Worker } from 'node:worker_threads';

/** What a single-file executable brings along instead of files next to the module. */
export interface EmbeddedParts {
  readonly workers: { readonly layer: () => Worker; readonly hash: () => Worker };
}

/** Nothing in the npm package, whose parts are files; the executable's build puts another module in this one's place. */
export const embeddedParts: EmbeddedParts | undefined = undefined;
