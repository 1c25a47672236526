// SPDX-License-Identifier: Apache-2.0
import { fstatSync, openSync } from 'node:fs';
import type { Host, HostProcess, NamespaceKind, ProcessIdentity, SpawnRequest, Syscalls } from '../host/index.ts';

/** What a fake host was asked to do, in order. */
export type HostOperation =
  | { readonly kind: 'spawn'; readonly request: SpawnRequest; readonly namespaces: readonly string[] }
  | { readonly kind: 'signal'; readonly pid: number; readonly signal: NodeJS.Signals }
  | {
      readonly kind: 'syscall';
      readonly name: string;
      readonly detail: unknown;
      readonly namespaces: readonly string[];
    }
  | { readonly kind: 'make-cgroup'; readonly path: string }
  | { readonly kind: 'remove-cgroup'; readonly path: string }
  | { readonly kind: 'leave-cgroup'; readonly path: string; readonly pids: readonly number[] };

export interface FakeHost extends Host {
  readonly operations: readonly HostOperation[];
  /** Ends a process that was spawned. */
  end(pid: number, status: number): void;
}

export interface FakeHostOptions {
  /** @default true */
  readonly root?: boolean;
  /** Executables there are, by name. @default all, in /usr/bin */
  readonly executables?: readonly string[];
  /** The status a spawned process ends with at once; undefined: it runs until `end` or SIGKILL. */
  readonly statusOf?: (request: SpawnRequest) => number | undefined;
  /** What a spawned process writes to its standard error. @default nothing */
  readonly outputOf?: (request: SpawnRequest, pid: number) => string;
  /** Path of what a process executes. @default unknown */
  readonly executableOf?: (pid: number) => string | undefined;
  /** Whether processes ignore whatever signal they are asked about. @default true */
  readonly ignoresSignals?: boolean;
  /** Processes of a cgroup, of which those that run are there. @default none */
  readonly membersOf?: (cgroup: string) => readonly number[];
  /** What a process has open. @default nothing */
  readonly filesOf?: (pid: number) => readonly string[];
  /** Whether the kernel killed something of a cgroup for want of memory. @default false */
  readonly outOfMemory?: (cgroup: string) => boolean;
  /** Name of a system call that fails. */
  readonly failing?: string;
}

/**
 * A host that does nothing and remembers everything. Locks work, within this process; namespaces are names that show
 * where an operation happened.
 */
export function createFakeHost(options: FakeHostOptions = {}): FakeHost {
  const operations: HostOperation[] = [];
  const place: { current: readonly string[] } = { current: [] };
  const enter = <T>(namespaces: readonly string[], work: () => T): T => {
    const before = place.current;
    place.current = namespaces;
    try {
      return work();
    } finally {
      place.current = before;
    }
  };
  const processes = fakeProcesses({ operations, place, options });
  const syscalls = fakeSyscalls({ operations, place, options });
  return {
    operations,
    end: processes.end,
    processes,
    cgroups: {
      hybridMount: undefined,
      make: (path) => void operations.push({ kind: 'make-cgroup', path }),
      remove: (path) => void operations.push({ kind: 'remove-cgroup', path }),
      kill: (path) => {
        for (const pid of options.membersOf?.(path) ?? []) {
          const identity = processes.identify(pid);
          if (identity !== undefined) processes.signal(identity, 'SIGKILL');
        }
      },
      within: (path, command) => ['/usr/bin/within', path, ...command],
      leave: (path, pids) => void operations.push({ kind: 'leave-cgroup', path, pids }),
      processes: (path) => {
        const members = options.membersOf?.(path) ?? [];
        return members.filter((pid) => processes.identify(pid) !== undefined);
      },
    },
    kernel: async () => ({
      syscalls,
      namespaces: {
        inNew: (kinds: readonly NamespaceKind[], work) =>
          enter(
            kinds.map((kind) => `new ${kind}`),
            work,
          ),
        inMount: (path, work) => enter([path], work),
        inThoseOf: (pid, kinds, work) =>
          enter(
            kinds.map((kind) => `/proc/${pid}/ns/${kind}`),
            work,
          ),
      },
    }),
    isRoot: () => options.root ?? true,
    findExecutable: (name) => {
      return options.executables === undefined || options.executables.includes(name) ? `/usr/bin/${name}` : undefined;
    },
    limits: () => ({ nofile: { soft: 1024, hard: 4096 } }),
    terminalSize: () => undefined,
    watchMemory: async (cgroup) => ({
      ranOut: () => options.outOfMemory?.(cgroup) ?? false,
      close: () => undefined,
    }),
    boundingSet: () => undefined,
  };
}

interface Recorder {
  readonly operations: HostOperation[];
  readonly place: { current: readonly string[] };
  readonly options: FakeHostOptions;
}

interface FakeProcesses {
  spawn(request: SpawnRequest): HostProcess;
  identify(pid: number): ProcessIdentity | undefined;
  isAlive(identity: ProcessIdentity): boolean;
  all(): readonly number[];
  rootedBelow(directory: string): readonly number[];
  openFiles(pid: number): readonly string[];
  executable(pid: number): string | undefined;
  ignores(): boolean;
  waits(pid: number): boolean;
  signal(identity: ProcessIdentity, signal: NodeJS.Signals): void;
  end(pid: number, status: number): void;
}

const firstPid = 1000;
const killed = 137;

function fakeProcesses({ operations, place, options }: Recorder): FakeProcesses {
  const running = new Map<number, (status: number) => void>();
  let last = firstPid;
  const end = (pid: number, status: number): void => {
    running.get(pid)?.(status);
    running.delete(pid);
  };
  const signal = (pid: number, name: NodeJS.Signals): void => {
    operations.push({ kind: 'signal', pid, signal: name });
    if (name === 'SIGKILL') end(pid, killed);
  };
  return {
    end,
    spawn: (request) => {
      operations.push({ kind: 'spawn', request, namespaces: place.current });
      last += 1;
      const pid = last;
      const exit = new Promise<number>((resolve) => running.set(pid, resolve));
      const status = options.statusOf?.(request);
      if (status !== undefined) end(pid, status);
      return {
        pid,
        exit,
        errorOutput: () => options.outputOf?.(request, pid) ?? '',
        signal: (name) => signal(pid, name),
        kill: () => signal(pid, 'SIGKILL'),
        unref: () => undefined,
        ref: () => undefined,
      };
    },
    identify: (pid) => (running.has(pid) ? { pid, startTime: '1', bootId: 'fake' } : undefined),
    isAlive: ({ pid }) => running.has(pid),
    all: () => [...running.keys()],
    rootedBelow: () => [],
    openFiles: (pid) => options.filesOf?.(pid) ?? [],
    executable: (pid) => options.executableOf?.(pid),
    ignores: () => options.ignoresSignals ?? true,
    waits: (pid) => running.has(pid),
    signal: ({ pid }, name) => signal(pid, name),
  };
}

function fakeSyscalls({ operations, place, options }: Recorder): Syscalls {
  const record = (name: string, detail?: unknown): void => {
    operations.push({ kind: 'syscall', name, detail, namespaces: place.current });
    if (options.failing === name) throw new Error(`${name} fails, as it was told to`);
  };
  const locks = new Map<number, number>();
  return {
    // One description per inode: enough for one process, whose descriptors are all its own.
    flock: (fd, mode) => {
      const { ino } = fstatSync(fd);
      const holder = locks.get(ino);
      if (holder !== undefined && holder !== fd && isSameFile(holder, ino)) return false;
      if (mode === 'exclusive') locks.set(ino, fd);
      return true;
    },
    seekToEnd: () => record('seekToEnd'),
    unshare: (flags) => record('unshare', flags),
    setns: (_, kind) => record('setns', kind),
    fchdir: () => record('fchdir'),
    sethostname: (name) => record('sethostname', name),
    makeSlave: () => record('makeSlave'),
    makeReadOnly: (target) => record('makeReadOnly', target),
    mountErofs: (mount) => record('mountErofs', mount),
    mountOverlay: (mount) => record('mountOverlay', mount),
    mountBind: (mount) => record('mountBind', mount),
    mountTmpfs: (mount) => record('mountTmpfs', mount),
    chroot: (path) => record('chroot', path),
    pivotRoot: (path) => record('pivotRoot', path),
    keepDescriptors: () => record('keepDescriptors'),
    asUser: (user, work) => {
      record('asUser', user);
      return work();
    },
    withOpenFiles: (limit, work) => {
      record('withOpenFiles', limit);
      return work();
    },
    unmount: (target) => record('unmount', target),
    pipe: () => {
      record('pipe');
      return { read: openSync('/dev/null', 'r'), write: openSync('/dev/null', 'w') };
    },
    connectPackets: (path) => {
      record('connectPackets', path);
      return openSync('/dev/null', 'r+');
    },
    sendDatagram: (name, bytes) => record('sendDatagram', { name, text: Buffer.from(bytes).toString() }),
    shutdown: () => record('shutdown'),
    openInRoot: (_, path) => {
      record('openInRoot', path);
      throw new Error('a fake host has no images');
    },
    bringUpLoopback: () => record('bringUpLoopback'),
    setWindowSize: (_, size) => record('setWindowSize', size),
  };
}

/** False when the descriptor has been closed, which gives up the lock. */
function isSameFile(fd: number, ino: number): boolean {
  try {
    return fstatSync(fd).ino === ino;
  } catch {
    return false;
  }
}
