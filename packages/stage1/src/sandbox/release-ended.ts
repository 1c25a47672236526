// SPDX-License-Identifier: Apache-2.0
import { type RuntimeContext, requireManifest, requirePod, requireRoot } from '../context.ts';
import { eventually } from '../eventually.ts';
import { leaveMonitors } from '../monitor/index.ts';
import { hasMark, setMark } from '../pod/app-marks.ts';
import { records } from '../pod/index.ts';
import type { PodId, ReleaseOptions } from '../runtime.ts';
import { releaseSandbox } from './release-sandbox.ts';

/** How long another app's monitor, or whoever looks at the pod, may have its lock before it counts as running. */
const patienceMs = 1_000;

/** Releases what a pod whose apps have all ended has of the host. @returns false when the pod still runs */
export async function releaseEnded(
  context: RuntimeContext,
  id: PodId,
  { app, signal }: ReleaseOptions = {},
): Promise<boolean> {
  signal?.throwIfAborted();
  requireRoot(context);
  try {
    if (app !== undefined) await settle(context, id, app);
    return await release(context, id, signal);
  } finally {
    leaveMonitors(context.host);
  }
}

/** Of the apps of a sandbox that is kept, whoever settles the last one ends what keeps it. */
async function settle({ host, pods }: RuntimeContext, id: PodId, app: string): Promise<void> {
  const location = pods.locate(id);
  const run = location?.stage === 'run' ? records.readRun(location.dir) : undefined;
  if (location === undefined || run?.kept !== true) return;
  setMark(location.dir, app, 'settled');
  if (records.readSandbox(location.dir)?.mutable === true) return;
  const { apps } = requireManifest(location);
  if (!apps.every(({ name }) => hasMark(location.dir, name, 'settled'))) return;
  host.processes.signal(run.holder, 'SIGKILL');
  await eventually(() => !host.processes.isAlive(run.holder), patienceMs);
}

async function release(context: RuntimeContext, id: PodId, signal: AbortSignal | undefined): Promise<boolean> {
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
