// SPDX-License-Identifier: Apache-2.0
import { type RuntimeContext, requirePod, requireRoot } from '../context.ts';
import { killMembers } from '../kill-members.ts';
import { appMembers, type PodLocation, records } from '../pod/index.ts';
import type { EndLeftoversOptions, PodId } from '../runtime.ts';
import { isRunning } from '../supervise/is-running.ts';
import { appLock, tryWithLock } from '../supervise/with-lock.ts';
import { orNothing } from './or-nothing.ts';

export async function endLeftovers(context: RuntimeContext, id: PodId, options: EndLeftoversOptions): Promise<void> {
  options.signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  if (location.stage === 'run') await endLeftoversOf(context, location, options);
}

/**
 * With a PID namespace of its own the kernel does this, and there is nothing to look for.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_CLEANUP_FAILED
 */
export async function endLeftoversOf(
  context: RuntimeContext,
  location: PodLocation,
  { app, signal }: EndLeftoversOptions,
): Promise<void> {
  const { id, dir } = location;
  const run = orNothing(() => records.readRun(dir));
  if (run?.init === undefined || run.ended !== undefined) return;
  // Somebody may be starting it anew.
  await tryWithLock(context, appLock(location, app, signal), async () => {
    const record = orNothing(() => records.readApp(dir, app));
    if (!isRunning(context, record)) await killMembers(context.host, appMembers(id, app));
  });
}
