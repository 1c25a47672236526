// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';

export interface Cgroups {
  /** Version 1 controllers beside a unified tree; crun before 1.9 refuses such hosts. */
  readonly hybridMount: string | undefined;
  /** Removes a cgroup and those below it in every hierarchy, and then its parent when that is empty. Tolerates absence. */
  remove(path: string): void;
  /** Pids in the cgroup and those below it, in whatever hierarchy they are. */
  processes(path: string): readonly number[];
}

export function createCgroups(): Cgroups {
  return {
    get hybridMount() {
      const unified = join(root, 'unified');
      return !isUnified() && existsSync(join(unified, 'cgroup.procs')) ? unified : undefined;
    },
    remove: (path) => {
      for (const hierarchy of hierarchies()) {
        const directory = join(hierarchy, path);
        removeTree(directory);
        tryRemove(join(directory, '..'));
      }
    },
    processes: (path) => [...new Set(hierarchies().flatMap((hierarchy) => processesBelow(join(hierarchy, path))))],
  };
}

function isUnified(): boolean {
  return existsSync(join(root, 'cgroup.controllers'));
}

function hierarchies(): readonly string[] {
  if (isUnified()) return [root];
  return listDirectories(root).map((name) => join(root, name));
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
