// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import type { Host, HostProcess } from '../../host/index.ts';
import { appPaths } from '../../mounts/index.ts';
import { appEnvironment, checkedCommand, orderedMounts } from '../../oci-spec/index.ts';
import type { AppContext, StartedApp, StartRequest } from '../flavor.ts';
import { checkExecutable } from '../image/check-executable.ts';
import { inRootfs } from '../image/image-files.ts';
import { kernelPlaces, resolveApp } from '../image/resolve-app.ts';
import { type HandedOver, type StandardStreams, standardStreams } from '../standard-streams.ts';
import { type AppProcess, type ProcessPlace, startProcess, writeAppProcess } from './app-process.ts';
import { endProcesses } from './end-processes.ts';
import { lockKeeper } from './keep-lock.ts';
import { mountPlaces } from './mount-places.ts';

/** The app is a child of ours. What shows that it runs when we are gone is a process that waits for it with the lock. */
export async function startApp(host: Host, context: AppContext, request: StartRequest): Promise<StartedApp> {
  const { stdio, lockFd, listeners, monitor, signal } = request;
  if (monitor !== undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_FLAVOR_UNABLE', 'flavor fly runs apps in the foreground alone');
  }
  // The app would have to be told its process before it has one: LISTEN_PID of sd_listen_fds(3).
  if (listeners !== undefined && listeners.fds.length > 0) {
    throw new Stage1Error(
      'ERR_RKT_STAGE1_FLAVOR_UNABLE',
      'flavor fly hands no sockets of a service manager to its app',
    );
  }
  const terminal = stdio === 'tty';
  const keepLock = lockFd === undefined ? undefined : lockKeeper(host, lockFd);
  const ready = await readyApp(host, context, terminal);
  signal?.throwIfAborted();
  const { syscalls } = await host.kernel();
  const streams = standardStreams(host, syscalls, { stdin: stdio !== 'inherit', privateUsers: false });
  const { app, drained } = await started(host, { ...ready, terminal, streams });
  const keeper = keepLock?.(app);
  const exit = app.exit.then(async (status) => {
    // Where the app is the first process of a PID namespace, the kernel does this.
    await endProcesses(host, ready.place.root);
    await keeper?.end();
    await drained();
    return status;
  });
  exit.catch(() => undefined);
  return {
    ...{ pid: app.pid, exit, monitor: { pid: keeper?.pid ?? app.pid } },
    ...(terminal && { sharesTerminal: true }),
  };
}

interface ReadyApp {
  readonly place: ProcessPlace;
  readonly process: AppProcess & { readonly args: readonly string[] };
}

/** Mounts what the app sees, and refuses what cannot be executed. */
async function readyApp(host: Host, context: AppContext, terminal: boolean): Promise<ReadyApp> {
  const { pod, app } = context;
  const { user, workingDirectory, mounts } = await resolveApp(host, context);
  const environment = appEnvironment(app.app, { appName: app.name, user, terminal });
  const section = { ...app.app, workingDirectory };
  const command = checkedCommand({ app: section, appName: app.name, environment, hostLimits: host.limits() });
  const ordered = orderedMounts(mounts);
  const covered = [...kernelPlaces, '/tmp', ...ordered.map(({ destination }) => destination)];
  const rootfs = join(pod.dir, appPaths(app.name).rootfs);
  await inRootfs(host, context, (syscalls, root) => {
    checkExecutable(syscalls, root, { ...command, executable: app.app.exec[0] ?? '', covered });
    mountPlaces(syscalls, { rootfs, readOnly: app.readOnlyRootFS ?? false, workingDirectory, mounts: ordered });
  });
  const { uid, gid, additionalGids } = user;
  const process = { ...command, user: { uid, gid, additionalGids } };
  const { args: _, ...own } = process;
  writeAppProcess(pod.dir, app.name, own);
  return { place: { namespace: `/proc/${pod.holder.pid}/ns/mnt`, root: rootfs }, process };
}

interface Start extends ReadyApp {
  readonly terminal: boolean;
  readonly streams: StandardStreams;
}

interface Started extends HandedOver {
  readonly app: HostProcess;
}

async function started(host: Host, { place, process, terminal, streams }: Start): Promise<Started> {
  const stdio = [streams.stdin, streams.stdout, streams.stderr] as const;
  let app: HostProcess;
  try {
    // On a terminal the app is where a shell expects to be: in the terminal's session, and in the foreground.
    app = await startProcess(host, place, { ...process, stdio, detached: !terminal });
  } catch (error) {
    streams.handedOver();
    throw error;
  }
  return { app, ...streams.handedOver() };
}
