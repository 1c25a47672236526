// SPDX-License-Identifier: Apache-2.0
import { isStage1Error, Stage1Error, type Stage1ErrorCode } from './error.ts';

/**
 * Does something of which the kernel says only that it failed, and says what it was: "cannot make the pod's mounts
 * private: mount failed: EINVAL". What has been explained already stays as it is.
 */
export function explained<T>(what: string, work: () => T, code: Stage1ErrorCode = 'ERR_RKT_STAGE1_MOUNT_FAILED'): T {
  try {
    return work();
  } catch (error) {
    if (isStage1Error(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Stage1Error(code, `${what}: ${reason}`, { cause: error });
  }
}
