// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { allPids, killTree, statusOf } from './process-tree.ts';

/** A process, named so that no later one can be taken for it. Plain JSON. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot: proc(5), /proc/pid/stat field 22. */
  readonly startTime: string;
  readonly bootId: string;
}

export interface SpawnRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** A number is a descriptor of ours; position is the descriptor in the child. */
  readonly stdio: readonly ('ignore' | 'inherit' | 'pipe' | number)[];
  /** Beyond what every process gets. @default nothing */
  readonly env?: Readonly<Record<string, string>>;
  /** `env` is all the process gets: it belongs to an app, not to the host. @default false */
  readonly foreign?: boolean;
  /** A session of its own, so that the terminal's signals do not reach it. @default false */
  readonly detached?: boolean;
}

export interface HostProcess {
  readonly pid: number;
  /** Resolves to 0-255, or 128 + signal number. */
  readonly exit: Promise<number>;
  /** Everything written to a piped stderr, up to 64 KiB. Complete when `exit` has resolved. */
  errorOutput(): string;
  signal(signal: NodeJS.Signals): void;
  /** With its descendants, none of which sees another end. */
  kill(): void;
  /** Lets the event loop end while the process lives, until `ref`. */
  unref(): void;
  ref(): void;
}

export interface Processes {
  /** Forks on the calling thread: the child is born in the namespaces that thread is in right now. */
  spawn(request: SpawnRequest): HostProcess;
  /** Undefined when there is none, or only its zombie. */
  identify(pid: number): ProcessIdentity | undefined;
  isAlive(identity: ProcessIdentity): boolean;
  /** Pids of every process there is. */
  all(): readonly number[];
  /** Pids of the processes whose root directory, as their own mount namespace shows it, is this one or below it. */
  rootedBelow(directory: string): readonly number[];
  /** What a process has open, as the kernel calls it: a file that is gone has ` (deleted)` behind its path. */
  openFiles(pid: number): readonly string[];
  /** Path of what a process executes, as its own mount namespace shows it. */
  executable(pid: number): string | undefined;
  ignores(pid: number, signal: NodeJS.Signals): boolean;
  /** Whether it waits for something, or for a signal: not while a program is being loaded, which waits for the disk alone. */
  waits(pid: number): boolean;
  /** Does nothing when that process is gone. */
  signal(identity: ProcessIdentity, signal: NodeJS.Signals): void;
}

export function createProcesses(): Processes {
  const isAlive = (identity: ProcessIdentity): boolean => {
    return identity.bootId === bootId() && startTime(identity.pid) === identity.startTime;
  };
  return {
    spawn: spawnProcess,
    identify: (pid) => {
      const start = startTime(pid);
      return start === undefined ? undefined : { pid, startTime: start, bootId: bootId() };
    },
    isAlive,
    all: allPids,
    rootedBelow,
    openFiles,
    executable: (pid) => linkOf(`/proc/${pid}/exe`),
    ignores,
    waits: (pid) => statusOf(pid)?.state === 'S',
    signal: (identity, signal) => {
      if (!isAlive(identity)) return;
      try {
        process.kill(identity.pid, signal);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    },
  };
}

/** What runtimes and core utilities need; nothing of the caller's environment reaches them. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const maxErrorOutput = 65_536;

function spawnProcess({ file, args, cwd, stdio, env, foreign, detached }: SpawnRequest): HostProcess {
  const child = spawn(file, args, {
    stdio: [...stdio],
    env: { ...(foreign ? {} : environment), ...env },
    detached: detached ?? false,
    ...(cwd !== undefined && { cwd }),
  });
  const exit = exitOf(child);
  // A failed start is also reported by the event; without a listener it would end the process.
  exit.catch(() => undefined);
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < maxErrorOutput) output += text.slice(0, maxErrorOutput - output.length);
  });
  return {
    pid: child.pid ?? 0,
    exit,
    errorOutput: () => output,
    signal: (signal) => void child.kill(signal),
    kill: () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killTree(child.pid);
    },
    unref: () => {
      child.unref();
      for (const stream of [child.stdin, child.stdout, child.stderr]) {
        if (stream !== null && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
      }
    },
    ref: () => child.ref(),
  };
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

function rootedBelow(directory: string): readonly number[] {
  // The kernel follows links, of which the data directory may be one.
  const real = existsSync(directory) ? realpathSync(directory) : directory;
  return allPids().filter((pid) => {
    const root = linkOf(`/proc/${pid}/root`);
    return root === real || root?.startsWith(`${real}/`);
  });
}

function openFiles(pid: number): readonly string[] {
  const dir = `/proc/${pid}/fd`;
  let names: readonly string[];
  try {
    names = readdirSync(dir);
  } catch {
    return [];
  }
  return names.flatMap((name) => linkOf(`${dir}/${name}`) ?? []);
}

/** proc(5), /proc/pid/status: a mask, in which signal 1 is the least bit. */
function ignores(pid: number, signal: NodeJS.Signals): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readProcFile(`/proc/${pid}/status`))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

/** Empty of what is gone. */
function readProcFile(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Undefined of what is gone, or only its zombie. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return boot;
}

function startTime(pid: number): string | undefined {
  const status = statusOf(pid);
  return status?.state === 'Z' || status?.state === 'X' ? undefined : status?.startTime;
}
