// SPDX-License-Identifier: Apache-2.0
import type { StartWorker } from '@rkt/docker2aci';

/** Parts that the single executable carries inside, where the npm package has files. */
export interface EmbeddedParts {
  readonly startWorker: StartWorker;
}

/** Undefined in the npm package. The build of the executable puts its own module in the place of this one. */
export const embeddedParts: EmbeddedParts | undefined = undefined;
