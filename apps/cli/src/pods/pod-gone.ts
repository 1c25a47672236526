// SPDX-License-Identifier: Apache-2.0
import { hasCode } from '../errors.ts';

/** Whether an error says that the pod is not there, as when somebody else has removed it already. */
export function isPodGone(error: unknown): boolean {
  return hasCode(error, 'ERR_RKT_STAGE1_POD_NOT_FOUND');
}
