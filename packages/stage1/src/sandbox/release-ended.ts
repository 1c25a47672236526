// SPDX-License-Identifier: Apache-2.0
import { type RuntimeContext, requirePod, requireRoot } from '../context.ts';
import type { AbortOptions, PodId } from '../runtime.ts';
import { releaseSandbox } from './release-sandbox.ts';

/** How long another app's monitor, or whoever looks at the pod, may have its lock before it counts as running. */
const patienceMs = 1_000;

/** Releases what a pod whose apps have all ended has of the host. @returns false when the pod still runs */
export async function releaseEnded(
  context: RuntimeContext,
  id: PodId,
  { signal }: AbortOptions = {},
): Promise<boolean> {
  signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  if (location.stage !== 'run') return true;
  if (context.owned.has(id)) return false;
  const { syscalls } = await context.host.kernel();
  const pod = await context.pods.own(location, { syscalls, waitMs: patienceMs, signal });
  if (pod === undefined) return false;
  try {
    await releaseSandbox(context, pod);
    return true;
  } finally {
    pod.release();
  }
}
