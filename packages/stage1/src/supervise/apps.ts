// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs';
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
import type { StartedApp } from '../flavors/flavor.ts';
import { mountApp, volumeMounts } from '../mounts/index.ts';
import type { OciMount } from '../oci-spec/index.ts';
import { type AppRecord, type PodLocation, records } from '../pod/index.ts';
import { raced } from '../raced.ts';
import type { AbortOptions, PodId, RunningApp, StartAppOptions } from '../runtime.ts';
import { forgetApp } from './define-app.ts';
import { isRunning } from './is-running.ts';
import { removeAppFiles } from './remove-app-files.ts';
import { waitApp } from './wait-app.ts';

export async function addApp(
  context: RuntimeContext,
  id: PodId,
  name: string,
  { signal }: AbortOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
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

export async function startApp(
  context: RuntimeContext,
  id: PodId,
  name: string,
  options: StartAppOptions,
): Promise<RunningApp> {
  options.signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  const app = requireApp(location, name);
  const run = requireSandbox(context, location);
  const record = startable(context, location, name);
  const insecure = records.readSandbox(location.dir)?.spec.insecure ?? {};
  const { host, owned } = context;
  const { holder, hostname, hostNetwork, users } = run;
  const manifest = requireManifest(location);
  const started = await requireFlavor(context, run.flavor).start(
    host,
    {
      pod: { id, dir: location.dir, hostname, hostNetwork, holder, insecure, ...(users && { users }) },
      manifest,
      app,
      mounts: allMounts(location.dir, manifest, app),
    },
    { stdio: options.stdio, lockFd: owned.get(id)?.pod.lockFd, monitor: options.monitor, signal: options.signal },
  );
  const { monitor, stdio } = options;
  const streams = monitor && { stdin: stdio !== 'inherit', terminal: stdio === 'tty' };
  return supervise(context, location, { name, record: { ...record, ...(streams && { streams }) }, started });
}

export async function removeApp(
  context: RuntimeContext,
  id: PodId,
  name: string,
  { signal }: AbortOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  requireRoot(context);
  const location = requirePod(context, id);
  const app = requireApp(location, name);
  const { holder } = requireSandbox(context, location);
  const record = records.readApp(location.dir, name);
  if (isRunning(context, record))
    throw new Stage1Error('ERR_RKT_STAGE1_APP_RUNNING', `app "${name}" of pod ${id} runs`);
  await removeAppFiles(context, location, { app, holder });
  await forgetApp(context, location, name);
}

function startable(context: RuntimeContext, { id, dir }: PodLocation, name: string): AppRecord {
  const record = records.readApp(dir, name);
  if (record === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_APP_NOT_ADDED', `app "${name}" has not been added to pod ${id}`);
  }
  if (!isRunning(context, record)) return { createdAt: record.createdAt };
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
  readonly name: string;
  readonly record: AppRecord;
  readonly started: StartedApp;
}

function supervise(
  context: RuntimeContext,
  { id, dir }: PodLocation,
  { name, record, started }: Supervision,
): RunningApp {
  const { host, now } = context;
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
      records.writeApp(dir, name, { ...running, finishedAt: now(), exitCode });
      return exitCode;
    },
    (error: unknown) => {
      records.writeApp(dir, name, { ...running, finishedAt: now() });
      throw error;
    },
  );
  exit?.catch(() => undefined);
  return {
    pid: started.pid,
    wait: async ({ signal } = {}) =>
      exit ? raced(exit, signal) : waitApp(context, id, { app: name, ...(signal && { signal }) }),
    // Directly to the app: a runtime passes on what it can, but does not survive a SIGKILL meant for the app.
    signal: (signal) => {
      if (started.sharesTerminal && terminalSignals.includes(signal)) return;
      if (signal === 'SIGWINCH' && started.resize) started.resize();
      else if (first !== undefined) host.processes.signal(first, signal);
    },
  };
}
