// SPDX-License-Identifier: Apache-2.0

import { statSync } from 'node:fs';
import type { PodManifest } from '@rkt/appc';
import { type RuntimeContext, requirePod } from '../context.ts';
import { Stage1Error } from '../error.ts';
import type { Health } from '../health/health.ts';
import { hasMark } from '../pod/app-marks.ts';
import {
  type AppRecord,
  isLive,
  type PodLocation,
  type RunRecord,
  records,
  stateOf,
  visibleStages,
} from '../pod/index.ts';
import type { Pod, PodApp, PodId, PodNetwork, PodState } from '../runtime.ts';
import { hasLivingApp } from './app-processes.ts';
import { isRunning } from './is-running.ts';
import { restartsInARow } from './restarts.ts';
import { isLockedByNobody } from './unwatched.ts';

export async function inspect(context: RuntimeContext, id: PodId): Promise<Pod> {
  const pod = await describe(context, requirePod(context, id));
  if (pod !== undefined) return pod;
  // It was moved while we looked; a second look finds where to.
  const moved = await describe(context, requirePod(context, id));
  if (moved !== undefined) return moved;
  throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_FOUND', `pod ${id} does not exist`);
}

/** Pods that vanish while they are looked at are left out; damaged ones are shown without what is damaged. */
export async function listPods(context: RuntimeContext): Promise<readonly Pod[]> {
  const pods: Pod[] = [];
  for (const location of context.pods.list(visibleStages)) {
    const pod = await describe(context, location);
    if (pod !== undefined) pods.push(pod);
  }
  return pods;
}

async function describe(context: RuntimeContext, location: PodLocation): Promise<Pod | undefined> {
  const { id, stage, dir } = location;
  const ran = stage === 'run' || stage === 'exited-garbage';
  const run = ran ? orUndefined(() => records.readRun(dir)) : undefined;
  const state = await currentState(context, location, run);
  const manifest = run?.ended?.manifest ?? orUndefined(() => records.readManifest(dir));
  const sandbox = run ?? orUndefined(() => records.readSandbox(dir));
  const createdAt = sandbox?.createdAt ?? statSync(dir, { throwIfNoEntry: false })?.ctimeMs;
  if (createdAt === undefined) return undefined;
  const described = describeApps(context, {
    manifest,
    recordOf: (app) => (ran ? recordOf(run, dir, app) : undefined),
    healthOf: (app) => orUndefined(() => records.readHealth(dir, app)),
    isStopped: (app) => run !== undefined && run.ended === undefined && hasMark(dir, app, 'stopped'),
  });
  return {
    id,
    state,
    dir,
    manifest,
    apps: described.apps,
    networks: (run?.networks ?? []).map(summary),
    ports: isLive({ state }) ? (run?.networks ?? []).flatMap(({ attachment }) => attachment.ports) : [],
    createdAt,
    ...(run && describeRun(run)),
    ...(described.pid !== undefined && { pid: described.pid }),
  };
}

async function currentState(
  context: RuntimeContext,
  location: PodLocation,
  run: RunRecord | undefined,
): Promise<PodState> {
  const { stage } = location;
  // What the state of these does not depend on is not asked for, and the native bridge not loaded.
  const lockMatters = stage === 'run' ? run?.ended === undefined : stage !== 'embryo' && stage !== 'prepared';
  if (!lockMatters) return stateOf(stage, false);
  if (context.pods.isLocked(location, (await context.host.kernel()).syscalls)) {
    return stage === 'run' && (await isLockedByNobody(context, location, run)) ? 'orphaned' : stateOf(stage, true);
  }
  return stage === 'run' && hasLivingApp(context, location) ? 'orphaned' : stateOf(stage, false);
}

function describeRun(run: RunRecord): Pick<Pod, 'startedAt' | 'flavor' | 'users'> {
  const { startedAt, flavor, users } = run;
  return {
    // The record of a sandbox in which no app came to be started says nothing of a start any more when it is over.
    ...(isStarted(run) && { startedAt }),
    flavor,
    ...(users && { users: { first: users.first, count: users.count } }),
  };
}

function isStarted({ ended }: RunRecord): boolean {
  return ended === undefined || Object.values(ended.apps).some(({ startedAt }) => startedAt !== undefined);
}

interface DescribeApps {
  readonly manifest: PodManifest | undefined;
  readonly recordOf: (app: string) => AppRecord | undefined;
  readonly healthOf: (app: string) => Health | undefined;
  readonly isStopped: (app: string) => boolean;
}

function describeApps(
  context: RuntimeContext,
  { manifest, recordOf, healthOf, isStopped }: DescribeApps,
): { readonly apps: readonly PodApp[]; readonly pid: number | undefined } {
  let pid: number | undefined;
  const apps = (manifest?.apps ?? []).map(({ name, image }): PodApp => {
    const record = recordOf(name);
    const running = isRunning(context, record);
    const health = running ? healthOf(name) : undefined;
    if (running) pid ??= record?.process?.pid;
    return {
      name,
      imageId: image.id,
      ...(image.name !== undefined && { imageName: image.name }),
      state: appState(record, running),
      ...times(record),
      ...(health && { health }),
      ...(isStopped(name) && { stopRequested: true }),
    };
  });
  return { apps, pid };
}

function recordOf(run: RunRecord | undefined, dir: string, app: string): AppRecord | undefined {
  const ended = run?.ended;
  if (ended !== undefined) return Object.hasOwn(ended.apps, app) ? ended.apps[app] : undefined;
  return orUndefined(() => records.readApp(dir, app));
}

function appState(record: AppRecord | undefined, running: boolean): PodApp['state'] {
  if (record === undefined) return 'unknown';
  if (running) return 'running';
  return record.startedAt === undefined ? 'created' : 'exited';
}

function times(
  record: AppRecord | undefined,
): Partial<
  Pick<
    PodApp,
    'createdAt' | 'startedAt' | 'finishedAt' | 'exitCode' | 'outOfMemory' | 'restarts' | 'restartsInARow' | 'streams'
  >
> {
  if (record === undefined) return {};
  const { createdAt, startedAt, finishedAt, exitCode, outOfMemory, restarts, streams } = record;
  return {
    createdAt,
    ...(startedAt !== undefined && { startedAt }),
    ...(finishedAt !== undefined && { finishedAt }),
    ...(exitCode !== undefined && { exitCode }),
    ...(outOfMemory && { outOfMemory }),
    ...(restarts !== undefined && { restarts, restartsInARow: restartsInARow(record) }),
    ...(streams && { streams }),
  };
}

function summary({ netName, ifName, ip, ip6 }: PodNetwork): PodNetwork {
  return { netName, ifName, ...(ip !== undefined && { ip }), ...(ip6 !== undefined && { ip6 }) };
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
