// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a data directory's pods mean to the host beyond their files. Scoped to them: other pods may run at the same time. */
export interface Footprint {
  readonly mounts: readonly string[];
  readonly processes: readonly string[];
  readonly cgroups: readonly string[];
  readonly addresses: readonly string[];
}

export const none: Footprint = { mounts: [], processes: [], cgroups: [], addresses: [] };

export function footprint(dataDir: string, podIds: readonly string[]): Footprint {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(dataDir));
  return { mounts, processes: processes(dataDir), cgroups: podIds.flatMap(cgroups), addresses: addresses(dataDir) };
}

/** Runtimes by their arguments; those that keep namespaces by being our children. */
function processes(dataDir: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        const ours = command.includes(dataDir) || status.includes(`PPid:\t${process.pid}\n`);
        return ours && !status.includes('State:\tZ') ? [command] : [];
      } catch {
        return [];
      }
    })
    .filter((command) => !/esbuild|vitest/.test(command));
}

function cgroups(id: string): readonly string[] {
  const root = '/sys/fs/cgroup';
  const hierarchies = existsSync(join(root, 'cgroup.controllers'))
    ? [root]
    : readdirSync(root).map((name) => join(root, name));
  return hierarchies.map((hierarchy) => join(hierarchy, 'rkt', id)).filter((path) => existsSync(path));
}

function addresses(dataDir: string): readonly string[] {
  const reserved = join(dataDir, 'networks', 'ipam', 'default');
  return existsSync(reserved) ? readdirSync(reserved).filter((name) => /^\d+\./.test(name)) : [];
}
