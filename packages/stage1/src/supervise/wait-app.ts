// SPDX-License-Identifier: Apache-2.0
import { chosenApp, type RuntimeContext, requirePod } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { pause } from '../pause.ts';
import { hasMark } from '../pod/app-marks.ts';
import { type AppRecord, records } from '../pod/index.ts';
import type { PodId, WaitOptions } from '../runtime.ts';
import { isRunning } from './is-running.ts';
import { unwatchedApp } from './unwatched.ts';

const intervalMs = 20;
/** How long the release of the pod may hold up whoever waits. */
const releaseGraceMs = 10_000;

/**
 * The status of an app, whoever started it, once it has ended and, if it was the last of its pod, has been cleared up
 * after: then the pod can be removed. An app that is about to be started is waited for.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_STATUS_UNKNOWN, ERR_RKT_STAGE1_POD_NOT_RUNNING, ERR_RKT_STAGE1_APP_UNSPECIFIED
 */
export async function waitApp(context: RuntimeContext, id: PodId, { app, signal }: WaitOptions = {}): Promise<number> {
  signal?.throwIfAborted();
  const first = requirePod(context, id);
  const name = chosenApp(first, app);
  if (first.stage === 'prepared' || first.stage === 'prepare' || first.stage === 'embryo') {
    throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_RUNNING', `pod ${id} has not been run`);
  }
  for (;;) {
    // Asked first: what is written before somebody lets go of the pod is there when it is read after.
    const mayChange = (await isWatched(context, id, name)) || isMonitored(context, lastRecord(context, id, name));
    const record = lastRecord(context, id, name);
    if (record?.exitCode !== undefined && !(await mayRunAgain(context, id, name))) {
      await awaitRelease(context, id, { record, signal });
      return record.exitCode;
    }
    if (!mayChange || (record?.finishedAt !== undefined && record.exitCode === undefined)) {
      throw new Stage1Error('ERR_RKT_STAGE1_STATUS_UNKNOWN', `nobody knows how app "${name}" of pod ${id} ended`);
    }
    await pause(intervalMs, signal);
  }
}

/** In a sandbox that is kept, an app that has ended may be started again until somebody has said that it is not. */
async function mayRunAgain(context: RuntimeContext, id: PodId, name: string): Promise<boolean> {
  const location = requirePod(context, id);
  const run = location.stage === 'run' ? records.readRun(location.dir) : undefined;
  if (run?.kept !== true || run.ended !== undefined || hasMark(location.dir, name, 'settled')) return false;
  return context.host.processes.isAlive(run.holder);
}

async function isWatched(context: RuntimeContext, id: PodId, name: string): Promise<boolean> {
  if (context.owned.has(id)) return true;
  const location = requirePod(context, id);
  if (location.stage !== 'run') return false;
  if (!context.pods.isLocked(location, (await context.host.kernel()).syscalls)) return false;
  // Of other apps, or of nobody but a sandbox that is kept: who would have learned of its end was killed.
  return (await unwatchedApp(context, location, name)) === undefined;
}

function lastRecord(context: RuntimeContext, id: PodId, name: string): AppRecord | undefined {
  const { dir } = requirePod(context, id);
  return records.readApp(dir, name) ?? records.readRun(dir)?.ended?.apps[name];
}

/** A monitor gives up the lock an instant before it writes the status. */
function isMonitored({ host }: RuntimeContext, record: AppRecord | undefined): boolean {
  return record?.monitor !== undefined && host.processes.isAlive(record.monitor);
}

interface Release {
  readonly record: AppRecord;
  readonly signal: AbortSignal | undefined;
}

async function awaitRelease(context: RuntimeContext, id: PodId, { record, signal }: Release): Promise<void> {
  const end = performance.now() + releaseGraceMs;
  while (performance.now() < end && (isMonitored(context, record) || (await isBeingReleased(context, id)))) {
    await pause(intervalMs, signal);
  }
}

/** Somebody has the pod although nothing of it runs. It may be ourselves, and then nobody else will. */
async function isBeingReleased(context: RuntimeContext, id: PodId): Promise<boolean> {
  const location = context.pods.locate(id);
  if (location?.stage !== 'run' || context.owned.has(id)) return false;
  const run = records.readRun(location.dir);
  const outlives = run?.kept === true || records.readSandbox(location.dir)?.mutable === true;
  if (outlives && run !== undefined && context.host.processes.isAlive(run.holder)) return false;
  const apps = records.readManifest(location.dir)?.apps ?? [];
  if (apps.some(({ name }) => isRunning(context, records.readApp(location.dir, name)))) return false;
  return context.pods.isLocked(location, (await context.host.kernel()).syscalls);
}
