// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { HostLimits, TerminalSize } from '../oci-spec/index.ts';
import { type Cgroups, createCgroups } from './cgroups.ts';
import { type MemoryWatch, watchMemory } from './kernel-log.ts';
import { readBoundingSet, readHostLimits } from './limits.ts';
import { createNamespaces, type Namespaces } from './namespaces.ts';
import { createProcesses, type Processes } from './processes.ts';
import { loadSyscalls, type Syscalls } from './syscalls.ts';

/** Everything of the machine beyond plain files. Cheap to have; what costs is loaded when asked for. */
export interface Host {
  readonly processes: Processes;
  readonly cgroups: Cgroups;
  /** @throws Stage1Error ERR_RKT_STAGE1_SYSCALLS_UNAVAILABLE */
  kernel(): Promise<Kernel>;
  isRoot(): boolean;
  /** Full path of an executable in the system's directories. */
  findExecutable(name: string): string | undefined;
  limits(): HostLimits;
  /** In characters, of the terminal our standard output is; undefined when it is none, or one of no size. */
  terminalSize(): TerminalSize | undefined;
  /** From now on. To be closed. */
  watchMemory(cgroup: string): Promise<MemoryWatch>;
  /** Names of the capabilities of our bounding set. */
  boundingSet(): readonly string[] | undefined;
}

export interface Kernel {
  readonly syscalls: Syscalls;
  readonly namespaces: Namespaces;
}

export function createHost(): Host {
  let kernel: Promise<Kernel> | undefined;
  const load = (): Promise<Kernel> => {
    kernel ??= loadSyscalls().then((syscalls) => ({ syscalls, namespaces: createNamespaces(syscalls) }));
    return kernel;
  };
  return {
    processes: createProcesses(),
    cgroups: createCgroups(),
    kernel: load,
    isRoot: () => process.geteuid?.() === 0,
    findExecutable,
    limits: readHostLimits,
    terminalSize,
    watchMemory: async (cgroup) => watchMemory((await load()).syscalls, cgroup),
    boundingSet: readBoundingSet,
  };
}

const executableDirs = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function findExecutable(name: string): string | undefined {
  return executableDirs.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function terminalSize(): TerminalSize | undefined {
  if (!process.stdout.isTTY) return undefined;
  const [width, height] = process.stdout.getWindowSize();
  return width > 0 && height > 0 ? { width, height } : undefined;
}
