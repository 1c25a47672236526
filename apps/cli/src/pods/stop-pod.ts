// SPDX-License-Identifier: Apache-2.0
import type { PodId, Runtime, StopOptions } from '@rkt/stage1';
import { isPodGone } from './pod-gone.ts';

/** Takes down a pod that runs. */
export async function stopPod(runtime: Runtime, id: PodId, options: StopOptions): Promise<void> {
  try {
    await runtime.stopSandbox(id, options);
  } catch (error) {
    // It has ended by itself, and been removed as `--rm` has it: stopped it is.
    if (!isPodGone(error)) throw error;
  }
}
