// SPDX-License-Identifier: Apache-2.0
import type { RuntimeContext } from '../context.ts';
import { hasMark } from '../pod/app-marks.ts';
import { type AppRecord, type PodLocation, type RunRecord, records } from '../pod/index.ts';
import { orNothing } from '../sandbox/or-nothing.ts';
import { appProcesses } from './app-processes.ts';
import { appLock, isLockTaken } from './with-lock.ts';

/**
 * What becomes of a detached app whose monitor was killed: it `lives`, and nobody keeps its output and its status, or it has
 * `ended`, and nobody knows how. Either way nobody starts it again. Undefined for any other app.
 */
export async function unwatchedApp(
  context: RuntimeContext,
  location: PodLocation,
  app: string,
): Promise<'lives' | 'ended' | undefined> {
  // Looked at again when its monitor has been found dead: the last thing it does is to write down the status.
  if (!isWithoutMonitor(context, location, app) || !isWithoutMonitor(context, location, app)) return undefined;
  // While it is started again, what is on record is its last monitor.
  if (await isLockTaken(context, appLock(location, app, undefined))) return undefined;
  if (!isWithoutMonitor(context, location, app)) return undefined;
  return appProcesses(context, location, app).length > 0 ? 'lives' : 'ended';
}

function isWithoutMonitor({ host }: RuntimeContext, { dir }: PodLocation, app: string): boolean {
  const record: AppRecord | undefined = orNothing(() => records.readApp(dir, app));
  if (record?.streams === undefined || record.startedAt === undefined || record.monitor === undefined) return false;
  return record.exitCode === undefined && !host.processes.isAlive(record.monitor);
}

/**
 * Whether nobody watches what runs in a pod that is locked: an app of it lives unwatched, or the last that nobody watched has ended
 * and its sandbox is kept for nothing. That of a mutable pod is there for whatever comes.
 */
export async function isLockedByNobody(
  context: RuntimeContext,
  location: PodLocation,
  run: Pick<RunRecord, 'kept'> | undefined,
): Promise<boolean> {
  const { dir } = location;
  const names = (orNothing(() => records.readManifest(dir))?.apps ?? []).map(({ name }) => name);
  const states = await Promise.all(names.map((name) => unwatchedApp(context, location, name)));
  if (states.includes('lives')) return true;
  if (!states.includes('ended') || run?.kept !== true) return false;
  if (orNothing(() => records.readSandbox(dir))?.mutable === true) return false;
  return names.every((name, at) => states[at] === 'ended' || hasMark(dir, name, 'settled'));
}
