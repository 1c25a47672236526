// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { type RuntimeContext, requirePod, requireRoot } from '../context.ts';
import { isStage1Error, Stage1Error } from '../error.ts';
import { removeTree } from '../mounts/index.ts';
import { type OwnedPod, type PodLocation, type PodStage, records } from '../pod/index.ts';
import type { AbortOptions, GcEvent, PodGcOptions, PodId } from '../runtime.ts';
import { endApps, releaseSandbox } from '../sandbox/index.ts';
import { orNothing } from '../sandbox/or-nothing.ts';
import { appProcesses, hasLivingApp } from '../supervise/app-processes.ts';
import { takeEnded } from '../supervise/take-ended.ts';
import { appLock, tryWithLock } from '../supervise/with-lock.ts';
import { lostPods, releaseLost } from './lost-pods.ts';

const defaultGraceMs = 30 * 60_000;
const defaultExpirePreparedMs = 24 * 3_600_000;

/** Marks what has ended, expired or been given up as garbage, then deletes what has been garbage for long enough. */
export async function* collect(context: RuntimeContext, options: PodGcOptions = {}): AsyncIterable<GcEvent> {
  options.signal?.throwIfAborted();
  requireRoot(context);
  for (const location of context.pods.list(['embryo', 'prepare', 'prepared', 'run'])) {
    yield* guarded(location, () => mark(context, location, options));
  }
  if (options.markOnly) return;
  for (const location of context.pods.list(['exited-garbage', 'garbage'])) {
    yield* guarded(location, () => sweep(context, location, options));
  }
  for (const id of await lostPods(context)) yield* guarded({ id }, () => releaseLost(context, id, options));
  await releaseForgottenUsers(context);
  for (const flavor of context.flavors) await flavor.sweep?.(context.host);
}

/** @throws Stage1Error ERR_RKT_STAGE1_POD_RUNNING */
export async function removePod(context: RuntimeContext, id: PodId, { signal }: AbortOptions = {}): Promise<void> {
  signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  const { syscalls } = await context.host.kernel();
  const pod = await takeEnded(context, location, (wait) => context.pods.own(location, { syscalls, signal, ...wait }));
  if (pod === undefined) {
    requirePod(context, id);
    throw new Stage1Error('ERR_RKT_STAGE1_POD_RUNNING', `pod ${id} is running or being worked on`);
  }
  try {
    await endOrphans(context, pod, signal);
    moveToGarbage(pod);
    await destroy(context, pod);
  } finally {
    pod.release();
  }
}

/** Whoever removed these pods was killed right after. A pod has its directory before it has users, and for longer. */
async function releaseForgottenUsers({ users, pods }: RuntimeContext): Promise<void> {
  for (const id of users.owners()) if (pods.lacks(id)) await users.release(id);
}

async function* guarded(
  { id }: Pick<PodLocation, 'id'>,
  work: () => Promise<GcEvent | undefined>,
): AsyncIterable<GcEvent> {
  let event: GcEvent | undefined;
  try {
    event = await work();
  } catch (error) {
    // One pod that cannot be removed must not keep the others; a cancelled gc ends.
    if (error instanceof Error && error.name === 'AbortError') throw error;
    event = { kind: 'failed', id, error: error instanceof Error ? error : new Error(String(error)) };
  }
  if (event !== undefined) yield event;
}

async function mark(
  context: RuntimeContext,
  location: PodLocation,
  { expirePreparedMs = defaultExpirePreparedMs, graceMs = defaultGraceMs, signal }: PodGcOptions,
): Promise<GcEvent | undefined> {
  signal?.throwIfAborted();
  const { id, stage } = location;
  if (stage === 'prepared' && age(context, location) < expirePreparedMs) return undefined;
  // Between mkdir and the lock an embryo of a living process looks like one of a dead process.
  if (stage === 'embryo' && age(context, location) < graceMs) return undefined;
  if (stage === 'run') await endForgotten(context, location, signal);
  const pod = await own(context, location, signal);
  if (pod === undefined) return stage === 'run' ? { kind: 'kept', id, reason: 'running' } : undefined;
  try {
    await endOrphans(context, pod, signal);
    if (stage === 'run') await releaseSandbox(context, pod);
    return { kind: 'marked', id, to: moveToGarbage(pod) };
  } finally {
    pod.release();
  }
}

/** Apps that nobody watches any more are asked to end, as by `stop`, before what is left of their pod is taken away. */
async function endOrphans(context: RuntimeContext, pod: OwnedPod, signal: AbortSignal | undefined): Promise<void> {
  if (pod.stage !== 'run' || orNothing(() => records.readRun(pod.dir))?.ended !== undefined) return;
  if (hasLivingApp(context, pod)) await endApps(context, pod, signal && { signal });
}

/** Longer than anybody waits before an app is started again. */
const forgottenMs = 5 * 60_000;

/** What keeps a sandbox is to end with its last app; when whoever would have ended it was killed, nobody else does. */
async function endForgotten(
  context: RuntimeContext,
  location: PodLocation,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { dir } = location;
  const run = orNothing(() => records.readRun(dir));
  if (run?.kept !== true || orNothing(() => records.readSandbox(dir))?.mutable === true) return;
  const apps = orNothing(() => records.readManifest(dir))?.apps ?? [];
  for (const { name } of apps) {
    const looksForgotten = async (): Promise<boolean> => isForgotten(context, location, name);
    // Looked at again while nobody starts it, since what is on record then is not all there is.
    if (!(await looksForgotten())) return;
    if (!(await tryWithLock(context, appLock(location, name, signal), looksForgotten))) return;
  }
  context.host.processes.signal(run.holder, 'SIGKILL');
}

/** Its monitor may have been killed, or whoever started it before that was on record: then its end is on none. */
function isForgotten(context: RuntimeContext, location: PodLocation, app: string): boolean {
  const { host, now } = context;
  const { dir } = location;
  const record = orNothing(() => records.readApp(dir, app));
  if (record?.startedAt === undefined) return false;
  const { process, monitor, startedAt, finishedAt = startedAt } = record;
  const isWatched = [process, monitor].some((each) => each !== undefined && host.processes.isAlive(each));
  if (isWatched || now() - finishedAt <= forgottenMs) return false;
  return appProcesses(context, location, app).length === 0;
}

async function sweep(
  context: RuntimeContext,
  location: PodLocation,
  { graceMs = defaultGraceMs, signal }: PodGcOptions,
): Promise<GcEvent | undefined> {
  signal?.throwIfAborted();
  const { id } = location;
  if (age(context, location) < graceMs) return { kind: 'kept', id, reason: 'grace-period' };
  const pod = await own(context, location, signal);
  if (pod === undefined) return undefined;
  try {
    await destroy(context, pod);
    return { kind: 'removed', id };
  } finally {
    pod.release();
  }
}

async function own(
  context: RuntimeContext,
  location: PodLocation,
  signal?: AbortSignal,
): Promise<OwnedPod | undefined> {
  if (context.owned.has(location.id)) return undefined;
  const { syscalls } = await context.host.kernel();
  return context.pods.own(location, { syscalls, waitMs: 0, signal });
}

function moveToGarbage(pod: OwnedPod): 'exited-garbage' | 'garbage' {
  const to: Readonly<Record<PodStage, 'exited-garbage' | 'garbage'>> = {
    embryo: 'garbage',
    prepare: 'garbage',
    prepared: 'garbage',
    run: 'exited-garbage',
    'exited-garbage': 'exited-garbage',
    garbage: 'garbage',
  };
  const stage = to[pod.stage];
  if (stage !== pod.stage) pod.moveTo(stage);
  return stage;
}

/** Once more everything that is not a file: the process that moved the pod here may have died before it could. */
async function destroy(context: RuntimeContext, pod: OwnedPod): Promise<void> {
  if (pod.stage === 'exited-garbage') await releaseSandbox(context, pod);
  await removeTree(context.host, pod.dir);
  await context.users.release(pod.id);
}

/** Milliseconds since the pod came where it is: a rename changes the status time of what is renamed. */
function age({ now }: RuntimeContext, { stage, dir }: PodLocation): number {
  const prepared = stage === 'prepared' ? preparedAt(dir) : undefined;
  const since = prepared ?? statSync(dir, { throwIfNoEntry: false })?.ctimeMs;
  // Status times are finer than our clock, which may also have been set back.
  return since === undefined ? 0 : Math.max(0, now() - since);
}

/** Undefined also when the record is damaged: that a pod cannot be run must not keep it from being removed. */
function preparedAt(dir: string): number | undefined {
  try {
    return records.readSandbox(dir)?.createdAt;
  } catch (error) {
    if (isStage1Error(error)) return undefined;
    throw error;
  }
}
