// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { Stage1Error } from '../../error.ts';
import { explained } from '../../explained.ts';
import { type Syscalls, SystemCallError } from '../../host/index.ts';
import { resolveInRoot } from '../../mounts/index.ts';
import type { OciMount } from '../../oci-spec/index.ts';
import { quote } from '../../quote.ts';
import { kernelPlaces } from '../image/resolve-app.ts';

export interface Places {
  /** Path of the app's root filesystem, in the mount namespace we are in. */
  readonly rootfs: string;
  readonly readOnly: boolean;
  readonly workingDirectory: string;
  /** Parents before children. */
  readonly mounts: readonly OciMount[];
}

/**
 * Mounts what an app sees beside its image: the host's /proc, /dev and /sys, a /tmp of its own, and what its pod states.
 * To be called in the pod's mount namespace; nothing happens where it has been done already.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MOUNT_FAILED, ERR_RKT_STAGE1_MOUNT_INVALID
 */
export function mountPlaces(syscalls: Syscalls, { rootfs, readOnly, workingDirectory, mounts }: Places): void {
  if (isMounted(rootfs)) return;
  const all = [...standardMounts(mounts), ...mounts, hostMount('/proc')];
  // What is missing is made while the root filesystem can be written to, and while nothing of the host's is in it.
  inDirectory(rootfs, (root) => {
    const places = all.filter(({ destination }) => !isKernels(destination));
    for (const mount of places) closeSync(openPlace(syscalls, root, { path: mount.destination, like: mount }));
    if (!isKernels(workingDirectory)) closeSync(openPlace(syscalls, root, { path: workingDirectory, like: undefined }));
  });
  if (readOnly) {
    explained('cannot make the root filesystem read-only', () =>
      syscalls.mountBind({ source: rootfs, target: rootfs, recursive: false, readOnly: true }),
    );
  }
  inDirectory(rootfs, (root) => {
    for (const mount of all) {
      explained(`cannot mount ${quote(mount.destination, 400)}`, () => mountAt(syscalls, root, mount));
    }
  });
}

/** /proc is mounted last, and nothing below it. */
function isMounted(rootfs: string): boolean {
  const proc = statSync(posix.join(rootfs, 'proc'), { throwIfNoEntry: false });
  return proc !== undefined && proc.dev !== statSync(rootfs).dev;
}

/** Those that no mount of the pod takes the place of. */
function standardMounts(mounts: readonly OciMount[]): readonly OciMount[] {
  const taken = new Set(mounts.map(({ destination }) => destination));
  const memory = { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777'] };
  return [memory, ...['/dev', '/sys'].map(hostMount)].filter(({ destination }) => !taken.has(destination));
}

function hostMount(path: string): OciMount {
  return { destination: path, type: 'bind', source: path, options: ['rbind', 'rw'] };
}

function mountAt(syscalls: Syscalls, root: number, mount: OciMount): void {
  // Again: a volume that is mounted by now may have links on the way.
  const path = resolveInRoot(syscalls, root, mount.destination);
  const target = openPlace(syscalls, root, { path, like: mount });
  const readOnly = mount.options.includes('ro');
  try {
    if (mount.type === 'tmpfs') {
      const options = mount.options.filter((option) => option.includes('='));
      syscalls.mountTmpfs({ target, options, readOnly });
    } else {
      const recursive = mount.options.includes('rbind');
      syscalls.mountBind({ source: mount.source, target, recursive, readOnly });
    }
  } finally {
    closeSync(target);
  }
}

interface Place {
  /** Without links. */
  readonly path: string;
  /** What is to be mounted there; a directory, if nothing. */
  readonly like: OciMount | undefined;
}

const O_PATH = 0o10000000;

/** Opens a place, which is made if it is missing: one name after the other, by handle, whatever is there by then. */
function openPlace(syscalls: Syscalls, root: number, { path, like }: Place): number {
  try {
    return syscalls.openInRoot(root, path, O_PATH);
  } catch (error) {
    if (!(error instanceof SystemCallError && error.code === 'ENOENT')) throw error;
  }
  if (isKernels(path)) {
    const message = `${quote(path, 400)} is the host's, which has nothing there for a volume to be mounted on`;
    throw new Stage1Error('ERR_RKT_STAGE1_MOUNT_INVALID', message);
  }
  const parent = openPlace(syscalls, root, { path: posix.dirname(path), like: undefined });
  try {
    const name = `/proc/self/fd/${parent}/${posix.basename(path)}`;
    if (like === undefined || like.type === 'tmpfs' || statSync(like.source).isDirectory()) mkdirSync(name);
    else writeFileSync(name, '', { flag: 'wx' });
  } finally {
    closeSync(parent);
  }
  return syscalls.openInRoot(root, path, O_PATH);
}

function isKernels(path: string): boolean {
  return kernelPlaces.some((place) => path.startsWith(`${place}/`));
}

function inDirectory(path: string, work: (fd: number) => void): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}
