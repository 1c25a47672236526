// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { resolveDots } from './absolute-path.ts';
import type { OciMount } from './spec.ts';

/** In order: a parent precedes its children. Options: mount(8). 65536k of /dev/shm is what POSIX shared memory gets elsewhere. */
const standardMounts: readonly OciMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
];

const cgroups: OciMount = {
  destination: '/sys/fs/cgroup',
  type: 'cgroup',
  source: 'cgroup',
  options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
};

const replaceable: ReadonlySet<string> = new Set(['/dev/shm', '/dev/mqueue', '/sys', '/sys/fs/cgroup']);

/**
 * The standard mounts, of which /sys depends on the pod's namespaces, then the pod's, parents before children.
 *
 * Destinations come from images too: one on `/`, `/proc` (or below), `/dev` or `/dev/pts` would take away what the masks
 * and the device rules stand on, and is refused.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MOUNT_INVALID naming the destination
 */
export function podMounts(mounts: readonly OciMount[], sys: OciMount): readonly OciMount[] {
  const added = orderedMounts(mounts);
  const replaced = new Set(added.map(({ destination }) => destination));
  const covered = (path: string): boolean => replaced.has(path) || (replaced.has('/sys') && path.startsWith('/sys/'));
  const standard = [...standardMounts, sys, cgroups].filter(({ destination }) => !covered(destination));
  return [...standard, ...added];
}

/** The pod's mounts alone, parents before children; refused as {@link podMounts} says. */
export function orderedMounts(mounts: readonly OciMount[]): readonly OciMount[] {
  return mounts
    .map((mount) => ({ ...mount, destination: checkedDestination(mount.destination) }))
    .map((mount, index) => ({ mount, index, depth: depth(mount.destination) }))
    .sort((a, b) => a.depth - b.depth || a.index - b.index)
    .map(({ mount }) => mount);
}

function checkedDestination(destination: string): string {
  if (!destination.startsWith('/') || destination.includes('\0')) {
    throw invalid(`mount destination ${quote(destination)} is not an absolute path`);
  }
  const path = resolveDots(destination);
  const standard = standardMounts.some((mount) => mount.destination === path);
  if (path === '/' || path.startsWith('/proc/') || (standard && !replaceable.has(path))) {
    throw invalid(`mount destination ${quote(destination)} would hide a file system every app needs`);
  }
  return path;
}

function depth(path: string): number {
  return path.split('/').length;
}

function invalid(message: string): Stage1Error {
  return new Stage1Error('ERR_RKT_STAGE1_MOUNT_INVALID', message);
}
