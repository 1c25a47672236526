// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import { pause } from '../pause.ts';
import type { Pod, PodId, WaitPodOptions } from '../runtime.ts';
import { inspect } from './inspect.ts';

const intervalMs = 50;

/** Nobody tells of what happens to a pod; it is looked at again and again. */
export async function waitPod(context: RuntimeContext, id: PodId, { until, signal }: WaitPodOptions): Promise<Pod> {
  for (;;) {
    signal?.throwIfAborted();
    const pod = await inspect(context, id);
    if (until(pod)) return pod;
    await pause(intervalMs, signal);
  }
}
