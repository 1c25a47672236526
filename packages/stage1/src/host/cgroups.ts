// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Cgroups {
  /** Version 1 controllers beside a unified tree; crun before 1.9 refuses such hosts. */
  readonly hybridMount: string | undefined;
  /**
   * Makes a cgroup in every hierarchy that takes one. To be called before a runtime makes another below it: of the parent, which
   * all pods share, somebody else's pod may be the last and take it away under the runtime's hands.
   */
  make(path: string): void;
  /** Removes a cgroup and those below it in every hierarchy, and then its parent when that is empty. Tolerates absence. */
  remove(path: string): void;
  /** Pids in the cgroup and those below it, in whatever hierarchy they are. */
  processes(path: string): readonly number[];
  /**
   * Kills everything in the cgroup and those below it: with version 2 at once. With version 1 one after the other, and what
   * has started another meanwhile escapes unless all are frozen for that time; who is killed himself then leaves them frozen.
   */
  kill(path: string, options?: { readonly frozen?: boolean }): void;
  /** A command that puts itself into the cgroup in every hierarchy it can, making it, and then executes the one given. */
  within(path: string, command: readonly string[]): readonly string[];
  /** Takes processes out of the cgroup, to the root of every hierarchy. Tolerates that they have ended, or are elsewhere. */
  leave(path: string, pids: readonly number[]): void;
}

/**
 * The cgroups of this host. Version 2 is one tree; of version 1 every directory of `root` is a hierarchy, beside which a
 * tree of version 2 may be mounted that has no controller.
 */
export function createCgroups(root = '/sys/fs/cgroup'): Cgroups {
  const isUnified = (): boolean => existsSync(join(root, 'cgroup.controllers'));
  const hierarchies = (): readonly string[] =>
    isUnified() ? [root] : listDirectories(root).map((name) => join(root, name));
  return {
    get hybridMount() {
      const unified = join(root, 'unified');
      return !isUnified() && existsSync(join(unified, 'cgroup.procs')) ? unified : undefined;
    },
    make: (path) => {
      for (const hierarchy of hierarchies()) tryMake(join(hierarchy, path));
    },
    remove: (path) => {
      for (const hierarchy of hierarchies()) {
        const directory = join(hierarchy, path);
        removeTree(directory);
        tryRemove(join(directory, '..'));
      }
    },
    kill: (path, { frozen = false } = {}) => {
      for (const hierarchy of hierarchies()) killBelow(join(hierarchy, path), frozen);
    },
    within: (path, command) => {
      const places = hierarchies().map((hierarchy) => join(hierarchy, path));
      return ['/bin/sh', '-c', enterScript, 'sh', ...places, '--', ...command];
    },
    leave: (path, pids) => {
      for (const hierarchy of hierarchies()) {
        const members = processesBelow(join(hierarchy, path));
        for (const pid of pids) if (members.includes(pid)) tryMove(hierarchy, pid);
      }
    },
    processes: (path) => [...new Set(hierarchies().flatMap((hierarchy) => processesBelow(join(hierarchy, path))))],
  };
}

/**
 * Arguments: the cgroups, `--`, the command. Where one cannot be entered, as on a host that shows its cgroups read-only, the
 * process stays where it is. A cpuset of version 1 is born without processors and memory, and takes nobody then. Another
 * process may remove the cgroup, being empty, between the two steps.
 */
const enterScript = `enter() {
  mkdir -p "$1" && for set in cpuset.cpus cpuset.mems; do
    for dir in "\${1%/*}" "$1"; do
      [ ! -e "$dir/$set" ] || [ -n "$(cat "$dir/$set")" ] || cat "\${dir%/*}/$set" >"$dir/$set"
    done
  done && echo 0 >"$1/cgroup.procs"
} 2>/dev/null
while [ "$1" != -- ]; do enter "$1" || enter "$1" || enter "$1" || :; shift; done
shift
exec "$@"`;

/** cgroups(7): `cgroup.kill` of version 2 since Linux 5.14, which reaches what is below; the freezer of version 1 does, too. */
function killBelow(directory: string, frozen: boolean): void {
  if (tryWrite(join(directory, 'cgroup.kill'), '1')) return;
  const freezer = join(directory, 'freezer.state');
  if (frozen) tryWrite(freezer, 'FROZEN');
  try {
    for (const pid of processesBelow(directory)) tryKill(pid);
  } finally {
    // Also when it was not: somebody who was killed may have left it frozen, and what is frozen does not die.
    tryWrite(freezer, 'THAWED');
  }
}

/** @returns false when there is no such file, or it does not take that */
function tryWrite(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

/** Looked up this very moment in a cgroup that is ours; it may have ended since. */
function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** A root that takes no processes, as in a container with version 2, leaves them where they are. */
function tryMove(hierarchy: string, pid: number): void {
  try {
    writeFileSync(join(hierarchy, 'cgroup.procs'), String(pid));
  } catch {
    return;
  }
}

function processesBelow(directory: string): readonly number[] {
  let text: string;
  try {
    text = readFileSync(join(directory, 'cgroup.procs'), 'latin1');
  } catch {
    return [];
  }
  const own = text
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
  return [...own, ...listDirectories(directory).flatMap((name) => processesBelow(join(directory, name)))];
}

/** How often a parent may be taken away between the two steps. */
const makeAttempts = 10;

/** Where none can be made, as on a host that shows its cgroups read-only, the runtime says so better. */
function tryMake(directory: string): void {
  for (let attempt = 0; attempt < makeAttempts && !existsSync(directory); attempt++) {
    try {
      mkdirSync(directory, { recursive: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) return;
    }
  }
}

function removeTree(directory: string): void {
  for (const name of listDirectories(directory)) removeTree(join(directory, name));
  tryRemove(directory);
}

/** A cgroup that is gone, or that still has members, is not ours to complain about: gc comes again. */
function tryRemove(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    return;
  }
}

/** Symbolic links are the names of controllers that are mounted together; each directory is visited once. */
function listDirectories(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
