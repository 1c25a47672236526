// SPDX-License-Identifier: Apache-2.0
import { isStage1Error } from '../error.ts';

/** A damaged record must not keep a pod from being stopped or removed: what is known otherwise is still undone. */
export function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isStage1Error(error)) return undefined;
    throw error;
  }
}
