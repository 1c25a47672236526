// SPDX-License-Identifier: Apache-2.0
import { type RuntimeContext, requirePod, requireRoot } from '../context.ts';
import { eventually } from '../eventually.ts';
import { ignoreSurvivors } from '../kill-members.ts';
import { leaveMonitors } from '../monitor/index.ts';
import { hasMark, setMark } from '../pod/app-marks.ts';
import { records } from '../pod/index.ts';
import type { EndLeftoversOptions, PodId, ReleaseOptions } from '../runtime.ts';
import { endLeftoversOf } from './end-leftovers.ts';
import { orNothing } from './or-nothing.ts';
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
    if (app !== undefined) await settle(context, id, { app, ...(signal && { signal }) });
    await endSettled(context, id);
    return await release(context, id, signal);
  } finally {
    leaveMonitors(context.host);
  }
}

/** Before anybody is asked whether the sandbox is kept, which it may be about to be: see {@link releaseSettled}. */
async function settle(context: RuntimeContext, id: PodId, ended: EndLeftoversOptions): Promise<void> {
  const location = context.pods.locate(id);
  if (location?.stage !== 'run') return;
  setMark(location.dir, ended.app, 'settled');
  // What does not end keeps the pod from being released, which tells of it.
  await endLeftoversOf(context, location, ended).catch(ignoreSurvivors);
}

/** For whoever has just written down that a sandbox is kept: its apps may all have been settled before. */
export async function releaseSettled(context: RuntimeContext, id: PodId): Promise<void> {
  if (await endSettled(context, id)) await release(context, id, undefined);
}

/** Of the apps of a sandbox that is kept, whoever settles the last one ends what keeps it. @returns whether it was the last */
async function endSettled({ host, pods }: RuntimeContext, id: PodId): Promise<boolean> {
  const location = pods.locate(id);
  if (location?.stage !== 'run') return false;
  const { dir } = location;
  const run = orNothing(() => records.readRun(dir));
  if (run?.kept !== true || run.ended !== undefined) return false;
  const manifest = orNothing(() => records.readManifest(dir));
  if (manifest === undefined || orNothing(() => records.readSandbox(dir))?.mutable === true) return false;
  if (!manifest.apps.every(({ name }) => hasMark(dir, name, 'settled'))) return false;
  host.processes.signal(run.holder, 'SIGKILL');
  await eventually(() => !host.processes.isAlive(run.holder), patienceMs);
  return true;
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
