// SPDX-License-Identifier: Apache-2.0
import type { StartWorker } from '@rkt/docker2aci';
import type { StartWorker as StartHashing } from '@rkt/store';

/** Parts that the single executable carries inside, where the npm package has files. */
export interface EmbeddedParts {
  /** Starts a thread of a conversion. */
  readonly startWorker: StartWorker;
  /** Starts a thread of the store's. */
  readonly startHashing: StartHashing;
}

/** Undefined in the npm package. The build of the executable puts its own module in the place of this one. */
export const embeddedParts: EmbeddedParts | undefined = undefined;
