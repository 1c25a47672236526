// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdirSync, read, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { Stage1Error } from '../error.ts';
import type { Host } from '../host/index.ts';
import { outOfMemoryFile, readTextFile } from '../pod/index.ts';
import { quote } from '../quote.ts';
import { type ConmonRequest, conmonArguments } from './conmon-arguments.ts';
import { monitorCgroup } from './monitor-cgroup.ts';
import type { MonitorFiles } from './monitor-files.ts';
import { parseSyncMessage, type SyncMessage } from './sync-message.ts';

export interface MonitorStart extends Omit<ConmonRequest, 'options'> {
  readonly podDir: string;
  readonly options: ConmonRequest['options'];
  /** Inherited, so that the pod counts as running for as long as the monitor lives. */
  readonly lockFd: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The log of the last run is written on. @default false */
  readonly again?: boolean;
}

/** A container that was created and waits to be started, below a monitor of its own. */
export interface MonitoredContainer {
  readonly pid: number;
  readonly monitorPid: number;
}

/**
 * Has conmon create a container. It leaves our process tree and stays for as long as the app runs: it takes what the app
 * writes, and its status. The runtime's own failure is returned, for whoever knows how to read it. When the wait is given
 * up, it is killed; what the runtime had made until then is removed with the sandbox.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MONITOR_MISSING, ERR_RKT_STAGE1_MONITOR_FAILED
 */
export async function startConmon(
  host: Host,
  start: MonitorStart,
): Promise<MonitoredContainer | { readonly refused: string }> {
  const file = host.findExecutable('conmon');
  if (file === undefined) {
    const message = 'found no conmon, which watches detached apps: install the Debian package conmon';
    throw new Stage1Error('ERR_RKT_STAGE1_MONITOR_MISSING', message);
  }
  forgetLastRun(start);
  const { syscalls } = await host.kernel();
  const sync = syscalls.pipe();
  try {
    const parent = spawnConmon(host, { file, start, syncFd: sync.write });
    // It forks and ends; the child says when the container has been created.
    const status = await parent.exit;
    if (status !== 0) throw failed(parent.errorOutput().trim() || `its status is ${status}`);
    const message = await readSyncMessage(sync.read, () => killMonitor(host, start.files), start.signal);
    if (message === undefined) throw failed('it ended before the container was created');
    if ('refused' in message) return message;
    const monitorPid = Number.parseInt(readTextFile(start.files.monitorPid) ?? '', 10);
    if (!Number.isInteger(monitorPid)) throw failed('it did not write down its process');
    return { pid: message.pid, monitorPid };
  } finally {
    closeSync(sync.read);
  }
}

function forgetLastRun({ files, app, podDir, again = false }: MonitorStart): void {
  const log = again ? [] : [files.log];
  for (const path of [files.exitDir, files.pid, files.monitorPid, ...log, outOfMemoryFile(podDir, app)]) {
    rmSync(path, { recursive: true, force: true });
  }
  mkdirSync(files.exitDir, { mode: 0o700 });
}

interface Spawn {
  readonly file: string;
  readonly start: MonitorStart;
  readonly syncFd: number;
}

function spawnConmon(host: Host, { file, start, syncFd }: Spawn): ReturnType<Host['processes']['spawn']> {
  try {
    const [command = '', ...args] = host.cgroups.within(monitorCgroup, [file, ...conmonArguments(start)]);
    return host.processes.spawn({
      file: command,
      args,
      cwd: start.files.base,
      stdio: ['ignore', 'ignore', 'pipe', syncFd, start.lockFd ?? 'ignore'],
      env: { _OCI_SYNCPIPE: '3' },
      detached: true,
    });
  } finally {
    closeSync(syncFd);
  }
}

const maxMessage = 65_536;

/**
 * The first line; undefined when whoever would write it has ended. A descriptor that is being read from is not closed under
 * the reader: to give the wait up, `end` ends whoever would write.
 */
async function readSyncMessage(
  fd: number,
  end: () => void,
  signal: AbortSignal | undefined,
): Promise<SyncMessage | undefined> {
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end, { once: true });
  try {
    const message = await readFirstLine(fd);
    signal?.throwIfAborted();
    return message;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

async function readFirstLine(fd: number): Promise<SyncMessage | undefined> {
  const buffer = Buffer.alloc(maxMessage);
  let length = 0;
  while (length < maxMessage && !buffer.subarray(0, length).includes('\n')) {
    const { bytesRead } = await promisify(read)(fd, buffer, length, maxMessage - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return parseSyncMessage(buffer.toString('utf8', 0, length));
}

/** It has written down its process before the one we started ended. */
function killMonitor({ processes }: Host, { monitorPid }: MonitorFiles): void {
  const identity = processes.identify(Number.parseInt(readTextFile(monitorPid) ?? '', 10));
  if (identity !== undefined) processes.signal(identity, 'SIGKILL');
}

function failed(reason: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_MONITOR_FAILED', `conmon could not watch the app: ${quote(reason, 400)}`);
}
