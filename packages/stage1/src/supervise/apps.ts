// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PodManifest, RuntimeApp } from '@rkt/appc';
import {
  type RuntimeContext,
  requireApp,
  requireFlavor,
  requireManifest,
  requirePod,
  requireRoot,
  requireSandbox,
} from '../context.ts';
import { Stage1Error } from '../error.ts';
import type { AppContext, StartedApp } from '../flavors/flavor.ts';
import { unchecked } from '../health/health.ts';
import { healthCheckOf } from '../health/health-check.ts';
import { watchHealth } from '../health/watch-health.ts';
import type { MemoryWatch } from '../host/index.ts';
import { mountApp, volumeMounts } from '../mounts/index.ts';
import type { OciMount } from '../oci-spec/index.ts';
import { clearMarks, hasMark } from '../pod/app-marks.ts';
import { type AppRecord, appCgroup, forgetKeptExit, type PodLocation, type RunRecord, records } from '../pod/index.ts';
import { raced } from '../raced.ts';
import type { AbortOptions, PodId, RunningApp, StartAppOptions } from '../runtime.ts';
import { forgetApp } from './define-app.ts';
import { isRunning } from './is-running.ts';
import { removeAppFiles } from './remove-app-files.ts';
import { countedRestart } from './restarts.ts';
import { waitApp } from './wait-app.ts';
import { appLock, withLock } from './with-lock.ts';

export async function addApp(
  context: RuntimeContext,
  id: PodId,
  name: string,
  { signal }: AbortOptions = {},
): Promise<void> {
  await changingApp(context, { id, name, signal }, (location) => add(context, location, { name, signal }));
}

export async function startApp(
  context: RuntimeContext,
  id: PodId,
  name: string,
  options: StartAppOptions,
): Promise<RunningApp> {
  const { signal } = options;
  return await changingApp(context, { id, name, signal }, (location) => start(context, location, { name, options }));
}

export async function removeApp(
  context: RuntimeContext,
  id: PodId,
  name: string,
  { signal }: AbortOptions = {},
): Promise<void> {
  await changingApp(context, { id, name, signal }, (location) => remove(context, location, name));
}

interface AppChange {
  readonly id: PodId;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

/** One at a time adds, starts or removes an app; each finds it as the one before has left it. */
async function changingApp<T>(
  context: RuntimeContext,
  { id, name, signal }: AppChange,
  change: (location: PodLocation) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  // The name becomes that of a file, so it must be one that has been checked.
  requireApp(location, name);
  requireSandbox(context, location);
  mkdirSync(join(location.dir, 'locks'), { recursive: true, mode: 0o700 });
  return withLock(context, appLock(location, name, signal), () => change(location));
}

interface Addition {
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

async function add(context: RuntimeContext, location: PodLocation, { name, signal }: Addition): Promise<void> {
  const { id } = location;
  const app = requireApp(location, name);
  const { holder, users } = requireSandbox(context, location);
  if (records.readApp(location.dir, name) !== undefined) return;
  const rootfs = records.readSandbox(location.dir)?.rootfs[name];
  if (rootfs === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_POD_CORRUPT', `pod ${id} has no root filesystem for app "${name}"`);
  }
  // Of a process that was killed while it added the app: what it mounted would lie below what we mount.
  await removeAppFiles(context, location, { app, holder });
  const mountNamespace = `/proc/${holder.pid}/ns/mnt`;
  const podUsers = users && { ...users, userNamespace: `/proc/${holder.pid}/ns/user` };
  const manifest = requireManifest(location);
  const request = { podDir: location.dir, manifest, app, rootfs, mountNamespace, users: podUsers, signal };
  await mountApp(context.host, request);
  records.writeApp(location.dir, name, { createdAt: context.now() });
}

interface Start {
  readonly name: string;
  readonly options: StartAppOptions;
}

async function start(context: RuntimeContext, location: PodLocation, { name, options }: Start): Promise<RunningApp> {
  const { id } = location;
  const app = requireApp(location, name);
  const run = requireSandbox(context, location);
  const again = options.again === true;
  requireInit(context, id, run);
  const last = startable(context, location, { name, again });
  const record: AppRecord = { createdAt: last.createdAt, ...(again && countedRestart(last)) };
  const insecure = records.readSandbox(location.dir)?.spec.insecure ?? {};
  const { host, owned } = context;
  const { holder, init, hostname, hostNetwork, users } = run;
  const manifest = requireManifest(location);
  // Whoever stops it the moment it is started again has made this mark, and waits for us.
  clearMarks(location.dir, name, again ? ['settled'] : ['settled', 'stopped']);
  const { monitor, stdio, healthCheck: command } = options;
  const flavor = requireFlavor(context, run.flavor);
  const appContext: AppContext = {
    pod: {
      id,
      dir: location.dir,
      hostname,
      hostNetwork,
      holder,
      insecure,
      ...(init && { init }),
      ...(users && { users }),
    },
    manifest,
    app,
    mounts: allMounts(location.dir, manifest, app),
  };
  // Nobody keeps the status of an app in a foreground but us, who see it end.
  const memory = monitor === undefined ? await host.watchMemory(appCgroup(id, name)) : undefined;
  let started: StartedApp;
  try {
    const request = { ...options, lockFd: owned.get(id)?.pod.lockFd };
    started = await insteadOfLast(context, location, { name, last, record }, () =>
      flavor.start(host, appContext, request),
    );
  } catch (error) {
    memory?.close();
    throw error;
  }
  const streams = monitor && { stdin: stdio !== 'inherit', terminal: stdio === 'tty' };
  const supervision = { app, record: { ...record, ...(streams && { streams }) }, started, memory };
  const running = supervise(context, location, supervision);
  const check = command && healthCheckOf(app);
  if (command !== undefined && check !== undefined) {
    records.writeHealth(location.dir, name, unchecked);
    await watchHealth(host, { podId: id, app: name, check, command });
  }
  return running;
}

/** What is started would be in whatever namespace a later process of that number has. */
function requireInit({ host }: RuntimeContext, id: PodId, { init }: RunRecord): void {
  if (init === undefined || host.processes.isAlive(init)) return;
  const message = `the first process of the PID namespace of pod ${id} has ended, and with it everything in there`;
  throw new Stage1Error('ERR_RKT_STAGE1_POD_NOT_RUNNING', message);
}

interface NextRun {
  readonly name: string;
  readonly last: AppRecord;
  readonly record: AppRecord;
}

/**
 * Starts an app with nothing of its last run on record: should we be killed before the new one is, nobody is to take the end
 * of the last for the end of what runs. What keeps its output is on record still. When it cannot be started, all is as before.
 */
async function insteadOfLast(
  { now }: RuntimeContext,
  { dir }: PodLocation,
  { name, last, record }: NextRun,
  begin: () => Promise<StartedApp>,
): Promise<StartedApp> {
  if (last.startedAt === undefined) return begin();
  const { monitor, streams } = last;
  records.writeApp(dir, name, {
    ...record,
    startedAt: now(),
    ...(monitor && { monitor }),
    ...(streams && { streams }),
  });
  forgetKeptExit(dir, name);
  try {
    return await begin();
  } catch (error) {
    records.writeApp(dir, name, last);
    throw error;
  }
}

async function remove(context: RuntimeContext, location: PodLocation, name: string): Promise<void> {
  const { id } = location;
  const app = requireApp(location, name);
  const { holder } = requireSandbox(context, location);
  const record = records.readApp(location.dir, name);
  if (isRunning(context, record))
    throw new Stage1Error('ERR_RKT_STAGE1_APP_RUNNING', `app "${name}" of pod ${id} runs`);
  await removeAppFiles(context, location, { app, holder });
  await forgetApp(context, location, name);
}

interface Startable {
  readonly name: string;
  readonly again: boolean;
}

/** What is on record of an app that may be started. */
function startable(context: RuntimeContext, { id, dir }: PodLocation, { name, again }: Startable): AppRecord {
  const record = records.readApp(dir, name);
  if (record === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_ADDED', `app "${name}" has not been added to pod ${id}`);
  }
  if (again && hasMark(dir, name, 'stopped')) {
    const message = `app "${name}" of pod ${id} has been stopped, and is not started again`;
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_RUNNING', message);
  }
  if (!isRunning(context, record)) return record;
  throw new Stage1Error('ERR_RKT_STAGE1_APP_RUNNING', `app "${name}" of pod ${id} runs already`);
}

const nameFiles = ['resolv.conf', 'hosts', 'hostname'];

/** The pod's name files give way to volumes of the same place. */
function allMounts(dir: string, manifest: PodManifest, app: RuntimeApp): readonly OciMount[] {
  const volumes = volumeMounts(dir, manifest, app);
  const taken = new Set(volumes.map(({ destination }) => destination));
  const files = nameFiles
    .map((name) => ({ source: join(dir, 'etc', name), destination: `/etc/${name}` }))
    .filter(({ source, destination }) => !taken.has(destination) && existsSync(source));
  return [...volumes, ...files.map((file) => ({ ...file, type: 'bind', options: ['bind', 'rprivate', 'rw'] }))];
}

/** What the kernel sends to every process in the foreground of a terminal. */
const terminalSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

interface Supervision {
  readonly app: RuntimeApp;
  readonly record: AppRecord;
  readonly started: StartedApp;
  readonly memory: MemoryWatch | undefined;
}

function supervise(
  context: RuntimeContext,
  { id, dir }: PodLocation,
  { app, record, started, memory }: Supervision,
): RunningApp {
  const { host, now } = context;
  const { name } = app;
  const first = host.processes.identify(started.pid);
  const monitor = host.processes.identify(started.monitor.pid);
  const running: AppRecord = {
    ...record,
    startedAt: now(),
    ...(first && { process: first }),
    ...(monitor && { monitor }),
  };
  records.writeApp(dir, name, running);
  const exit = started.exit?.then(
    (exitCode) => {
      const outOfMemory = mayHaveStarved(app, exitCode) && memory?.ranOut() === true;
      memory?.close();
      records.writeApp(dir, name, { ...running, finishedAt: now(), exitCode, ...(outOfMemory && { outOfMemory }) });
      return exitCode;
    },
    (error: unknown) => {
      memory?.close();
      records.writeApp(dir, name, { ...running, finishedAt: now() });
      throw error;
    },
  );
  exit?.catch(() => undefined);
  return {
    pid: started.pid,
    wait: async ({ signal } = {}) =>
      exit ? raced(exit, signal) : waitApp(context, id, { app: name, ...(signal && { signal }) }),
    wasOutOfMemory: () => records.readApp(dir, name)?.outOfMemory === true,
    // Directly to the app: a runtime passes on what it can, but does not survive a SIGKILL meant for the app.
    signal: (signal) => {
      if (started.sharesTerminal && terminalSignals.includes(signal)) return;
      if (signal === 'SIGWINCH' && started.resize) started.resize();
      else if (first !== undefined) host.processes.signal(first, signal);
    },
  };
}

const killed = 137;

/** The kernel is asked, which takes some milliseconds, only about apps it may have killed. */
function mayHaveStarved({ app }: RuntimeApp, exitCode: number): boolean {
  return (
    exitCode === killed || (exitCode !== 0 && (app.isolators ?? []).some(({ name }) => name === 'resource/memory'))
  );
}
