// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../../error.ts';
import { type Host, type Syscalls, SystemCallError } from '../../host/index.ts';
import { appPaths } from '../../mounts/index.ts';
import { hasCode } from '../../pod/index.ts';
import { quote } from '../../quote.ts';
import type { AppContext } from '../flavor.ts';

/**
 * Works on an app's root filesystem, in its pod's mount namespace. An image may have put anything anywhere in it: only
 * `openInRoot` may open what is below the handle.
 */
export async function inRootfs<T>(
  host: Host,
  { pod, app }: Pick<AppContext, 'pod' | 'app'>,
  work: (syscalls: Syscalls, root: number) => T,
): Promise<T> {
  const { syscalls, namespaces } = await host.kernel();
  return namespaces.inMount(`/proc/${pod.holder.pid}/ns/mnt`, () => {
    const root = openSync(join(pod.dir, appPaths(app.name).rootfs), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return work(syscalls, root);
    } finally {
      closeSync(root);
    }
  });
}

/** EACCES: a device; no device of an image can be opened. */
const absent = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES'];

/**
 * The first bytes of a regular file; undefined when there is none. Does not wait, whatever an image has put there.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MOUNT_FAILED when the image is damaged there
 */
export function readImageFile(syscalls: Syscalls, root: number, file: ImageFile): Buffer | undefined {
  try {
    return readFile(syscalls, root, file);
  } catch (error) {
    if (!(error instanceof SystemCallError) && !hasCode(error, 'EIO', 'EUCLEAN')) throw error;
    const message = `cannot read ${quote(file.path, 400)} of the image: ${error instanceof Error ? error.message : ''}`;
    throw new Stage1Error('ERR_RKT_STAGE1_MOUNT_FAILED', message, { cause: error });
  }
}

function readFile(syscalls: Syscalls, root: number, { path, limit }: ImageFile): Buffer | undefined {
  let fd: number;
  try {
    fd = syscalls.openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (error instanceof SystemCallError && absent.includes(error.code)) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    const buffer = Buffer.alloc(Math.min(stat.size, limit));
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(fd, buffer, length, buffer.length - length, null);
    }
    return buffer.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

export interface ImageFile {
  readonly path: string;
  /** Bytes. */
  readonly limit: number;
}
