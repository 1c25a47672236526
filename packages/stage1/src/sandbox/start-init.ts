// SPDX-License-Identifier: Apache-2.0
import { closeSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../error.ts';
import { eventually } from '../eventually.ts';
import { explained } from '../explained.ts';
import type { Host, HostProcess, Kernel, NamespaceKind, ProcessIdentity } from '../host/index.ts';
import { passage } from '../mounts/index.ts';
import { hasCode, podCgroup } from '../pod/index.ts';
import { quote } from '../quote.ts';
import type { PodId } from '../runtime.ts';

export interface PidNamespaceRequest {
  /** A process in the pod's other namespaces. */
  readonly holder: ProcessIdentity;
  /** Those of them that the first process is to be in, too: whoever may look into it finds nothing else. */
  readonly kinds: readonly (Exclude<NamespaceKind, 'mnt'> | 'user')[];
  /** Where whoever finds no record of the first process finds the process. */
  readonly cgroup: string;
  /** Writes down which process it is. It stays only when it has been told that this is done. */
  readonly note: (init: ProcessIdentity) => void;
}

/**
 * Makes a PID namespace with a first process that does nothing, outlives us, and ends with whoever kills it from outside.
 *
 * It is a copy of `sleep` that ignores SIGCHLD, by which the kernel itself reaps what nobody waits for. Nobody in the
 * namespace can end it: it handles no signal, the kernel sends the first process no other, and no app of the pod has
 * CAP_SYS_BOOT, by which reboot(2) would kill it. Outside, root alone can: it is
 * root of the host, or somebody of the pod's own users, without capabilities. Its root directory is empty and read-only, and its
 * executable, which it may not read, makes it undumpable for everybody without CAP_SYS_PTRACE on the host (execve(2), ptrace(2)).
 *
 * @throws Stage1Error ERR_RKT_STAGE1_RUNTIME_MISSING, ERR_RKT_STAGE1_RUNTIME_FAILED
 */
export async function startInit(host: Host, request: PidNamespaceRequest): Promise<ProcessIdentity> {
  const programs = requireInitPrograms(host);
  const kernel = await host.kernel();
  const { read, write } = kernel.syscalls.pipe();
  let init: ProcessIdentity | undefined;
  try {
    const starter = spawnStarter(host, kernel, { ...request, programs, input: read });
    init = await startedBy(host, starter);
    request.note(init);
    tellRecorded(write, starter);
    await awaitExecution(host, starter, init);
    starter.unref();
    emptyRoot(kernel, init);
    if (!host.processes.isAlive(init)) throw failed(starter);
    return init;
  } catch (error) {
    if (init !== undefined) host.processes.signal(init, 'SIGKILL');
    throw error;
  } finally {
    closeSync(write);
  }
}

/** Below the pod's own, with which it is emptied. No name of an app has a dot. */
export function initCgroup(id: PodId): string {
  return join(podCgroup(id), 'pod.init');
}

/** What is needed of the host, by name, with where it is. */
type InitPrograms = Readonly<Record<(typeof needed)[number], string>>;

/** `tail` waits for the first process where a sandbox is kept, which must not fail when apps run already. */
const needed = ['nsenter', 'unshare', 'setpriv', 'env', 'sleep', 'tail'] as const;

/** @throws Stage1Error ERR_RKT_STAGE1_RUNTIME_MISSING */
export function requireInitPrograms(host: Host): InitPrograms {
  const program = (name: (typeof needed)[number]): string => {
    const file = host.findExecutable(name);
    if (file !== undefined) return file;
    const message = `found no ${name}, which a PID namespace for the pod takes: install the Debian packages util-linux and coreutils`;
    throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_MISSING', message);
  };
  return {
    nsenter: program('nsenter'),
    unshare: program('unshare'),
    setpriv: program('setpriv'),
    env: program('env'),
    sleep: program('sleep'),
    tail: program('tail'),
  };
}

/** Called `sleep`, since there are hosts where one program is all of coreutils and goes by its name. */
const executable = join(passage, 'sleep');

const nobody = '65534';

/**
 * Without a capability either way. Of the host's users root alone, by whom nobody of the host is who may signal it; its group is
 * none of an app's all the same, so that an app's root may not set its limits (prlimit(2)). Of a pod's own users nobody is a
 * user of the pod alone.
 */
function userArguments(kinds: PidNamespaceRequest['kinds']): readonly string[] {
  const user = kinds.includes('user') ? nobody : '0';
  return [`--reuid=${user}`, `--regid=${nobody}`, '--clear-groups', '--no-new-privs'];
}

const noCapabilities = ['--ambient-caps=-all', '--inh-caps=-all', '--bounding-set=-all'];

/**
 * In a mount namespace of its own. The first child of a shell that has called unshare(2) is the first process; the shell says
 * which one it is, and ends. The process goes on by itself when it has been told so, and ends when we end before.
 */
const starterScript = `"$1" --ignore-signal=CHLD >/dev/null 2>&1 ||
  { echo "$1 does not know --ignore-signal, which that of coreutils 8.31 or later does" >&2; exit 1; }
cp "$2" ${executable} && chmod 0111 ${executable} && shift 2 && exec "$@"`;
const makerScript = '"$@" <&3 3<&- & echo $! >&2';
const initScript = `read -r recorded && exec "$1" --ignore-signal=CHLD ${executable} infinity </dev/null >/dev/null 2>&1`;

interface StarterSpawn extends PidNamespaceRequest {
  readonly programs: InitPrograms;
  /** Ours no more. */
  readonly input: number;
}

function spawnStarter(host: Host, { syscalls, namespaces }: Kernel, spawn: StarterSpawn): HostProcess {
  const { programs, kinds, holder, cgroup, input } = spawn;
  const first = [
    ...[programs.setpriv, ...userArguments(kinds), ...noCapabilities, '--'],
    ...['/bin/sh', '-c', initScript, 'sh', programs.env],
  ];
  const maker = [programs.unshare, '--cgroup', '--pid', '--', '/bin/sh', '-c', makerScript, 'sh', ...first];
  const joined = [programs.nsenter, `--target=${holder.pid}`, ...kinds.map((kind) => `--${kind}`), '--', ...maker];
  const [file = '', ...args] = host.cgroups.within(cgroup, [
    ...['/bin/sh', '-c', starterScript, 'sh', programs.env, programs.sleep],
    ...joined,
  ]);
  try {
    return namespaces.inNew(['mnt'], () => {
      explained("cannot make the mounts of the PID namespace's first process", () => {
        syscalls.makeSlave();
        syscalls.mountTmpfs({ target: passage, options: ['mode=0755', 'size=64m'], readOnly: false });
      });
      return host.processes.spawn({
        ...{ file, args, cwd: '/', detached: true },
        stdio: ['ignore', 'ignore', 'pipe', input],
      });
    });
  } finally {
    closeSync(input);
  }
}

/** How long it may take on a machine that has much else to do, in milliseconds. */
const patienceMs = 10_000;

async function startedBy(host: Host, starter: HostProcess): Promise<ProcessIdentity> {
  const pid = (): string | undefined => /^(\d+)\n/m.exec(starter.errorOutput())?.[1];
  await Promise.race([starter.exit, eventually(() => pid() !== undefined, patienceMs)]);
  const init = host.processes.identify(Number(pid() ?? 0));
  if (init !== undefined) return init;
  starter.kill();
  await starter.exit;
  throw failed(starter);
}

function tellRecorded(write: number, starter: HostProcess): void {
  try {
    writeSync(write, 'recorded\n');
  } catch (error) {
    throw hasCode(error, 'EPIPE') ? failed(starter) : error;
  }
}

/**
 * Until it has loaded its libraries, which its root directory will not have. The kernel tells nobody; and where SIGCHLD is
 * not ignored all the same, the namespace would fill up.
 */
async function awaitExecution({ processes }: Host, starter: HostProcess, init: ProcessIdentity): Promise<void> {
  const isExecuted = (): boolean => processes.executable(init.pid) === executable && processes.waits(init.pid);
  await eventually(() => isExecuted() || !processes.isAlive(init), patienceMs);
  if (!isExecuted()) throw failed(starter, processes.isAlive(init) ? unseen : undefined);
  if (!processes.ignores(init.pid, 'SIGCHLD')) throw failed(starter, 'env does not make it ignore SIGCHLD');
}

const unseen = 'its first process does not come to wait, or may not be looked at, which takes CAP_SYS_PTRACE';

function failed(starter: HostProcess, reason = reasonIn(starter.errorOutput())): Stage1Error {
  const message = `cannot make a PID namespace for the pod: ${quote(reason, 300)}`;
  return new Stage1Error('ERR_RKT_STAGE1_RUNTIME_FAILED', message);
}

function reasonIn(output: string): string {
  const lines = output.split('\n').filter((line) => !/^\d*$/.test(line));
  return lines.at(-1)?.trim() ?? 'its first process ended at once';
}

/** Nobody else is in its mount namespace, which shows the host's files until then; of what it executes nothing can be written. */
function emptyRoot({ syscalls, namespaces }: Kernel, init: ProcessIdentity): void {
  namespaces.inMount(`/proc/${init.pid}/ns/mnt`, () => {
    explained("cannot empty the root directory of the PID namespace's first process", () => {
      rmSync(executable, { force: true });
      syscalls.makeReadOnly('/');
      syscalls.pivotRoot(passage);
    });
  });
}
