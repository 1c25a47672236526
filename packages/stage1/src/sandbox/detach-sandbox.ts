// SPDX-License-Identifier: Apache-2.0
import { closeSync, writeSync } from 'node:fs';
import type { OwnedSandbox, RuntimeContext } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { eventually } from '../eventually.ts';
import type { Host, HostProcess, ProcessIdentity } from '../host/index.ts';
import { monitorCgroup } from '../monitor/index.ts';
import { records } from '../pod/index.ts';
import type { DetachOptions, PodId } from '../runtime.ts';
import { releaseSettled } from './release-ended.ts';

/**
 * Leaves a sandbox this process made to the monitors of its apps, which hold the pod's lock, and to the apps, which hold
 * its namespaces; or, where it is to be kept, to a process that holds all of them. Idempotent.
 */
export async function detachSandbox(
  context: RuntimeContext,
  id: PodId,
  { keepSandbox = false }: DetachOptions = {},
): Promise<void> {
  const sandbox = context.owned.get(id);
  if (sandbox === undefined) return;
  if (keepSandbox) await hold(context, sandbox);
  context.owned.delete(id);
  sandbox.holder.ref();
  sandbox.holder.signal('SIGKILL');
  await sandbox.holder.exit;
  sandbox.pod.release();
  if (keepSandbox) await releaseSettled(context, id);
}

/** How long a process may take to enter the sandbox, on a machine that has much else to do. */
const patienceMs = 10_000;

/**
 * Starts what holds the sandbox when the one that ends with us has ended: a process of the least size, in its namespaces,
 * with its lock. On record before the other ends: at any moment at least one of them is. It stays only when it is told that
 * it is on record: of one that is not, nobody would know that it has the lock.
 */
async function hold({ host }: RuntimeContext, { pod, holder }: OwnedSandbox): Promise<void> {
  const run = records.readRun(pod.dir);
  const nsenter = host.findExecutable('nsenter');
  if (run === undefined || nsenter === undefined)
    throw notKept(pod.id, 'nsenter is not installed (package util-linux)');
  const own = [...(run.hostNetwork ? [] : ['--net']), ...(run.users ? ['--user'] : [])];
  const namespaces = ['--mount', '--ipc', '--uts', ...own];
  const script = `echo inside >&2; read -r recorded && exec ${waitingFor(run.init)} </dev/null >/dev/null 2>&1`;
  const command = [nsenter, `--target=${holder.pid}`, ...namespaces, '--', '/bin/sh', '-c', script];
  const [file = '', ...args] = host.cgroups.within(monitorCgroup, command);
  const { syscalls } = await host.kernel();
  const { read, write } = syscalls.pipe();
  try {
    const child = spawnHolder(host, { file, args, input: read, lockFd: pod.lockFd });
    await Promise.race([child.exit, eventually(() => child.errorOutput() !== '', patienceMs)]);
    const identity = host.processes.identify(child.pid);
    if (identity === undefined || child.errorOutput().trim() !== 'inside') {
      child.kill();
      throw notKept(pod.id, child.errorOutput().trim());
    }
    records.writeRun(pod.dir, { ...run, holder: identity, kept: true });
    writeSync(write, 'recorded\n');
    child.unref();
  } finally {
    closeSync(write);
  }
}

/** For ever, or for as long as there is a PID namespace: without, nothing can be started in the sandbox. */
function waitingFor(init: ProcessIdentity | undefined): string {
  return init === undefined ? 'sleep infinity' : `tail --pid=${init.pid} --follow /dev/null`;
}

interface HolderSpawn {
  readonly file: string;
  readonly args: readonly string[];
  /** Ours no more. */
  readonly input: number;
  readonly lockFd: number;
}

function spawnHolder({ processes }: Host, { file, args, input, lockFd }: HolderSpawn): HostProcess {
  try {
    return processes.spawn({ file, args, cwd: '/', stdio: [input, 'ignore', 'pipe', lockFd], detached: true });
  } finally {
    closeSync(input);
  }
}

function notKept(id: PodId, reason: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_RUNTIME_FAILED', `cannot keep the sandbox of pod ${id}: ${reason}`);
}
