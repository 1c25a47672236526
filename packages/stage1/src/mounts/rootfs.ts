// SPDX-License-Identifier: Apache-2.0
import { chmodSync, chownSync, statSync } from 'node:fs';
import { Stage1Error } from '../error.ts';
import { type Syscalls, SystemCallError } from '../host/index.ts';
import { quote } from '../quote.ts';
import type { RootfsSource } from '../runtime.ts';
import type { AppPaths } from './app-paths.ts';

/**
 * Mounts an image read-only and a writable layer of the pod over it. To be called in the pod's mount namespace, with the
 * pod's directory as the working directory.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MOUNT_FAILED
 */
export function mountRootfs(syscalls: Syscalls, { source, paths, userNamespace }: RootfsMount): void {
  try {
    mountLower(syscalls, source, { target: paths.lower, userNamespace });
    copyRootAttributes(paths.lower, paths.upper);
  } catch (error) {
    throw mountFailed(source.type === 'erofs' ? source.source : source.path, error);
  }
  try {
    syscalls.mountOverlay({ lower: paths.lower, upper: paths.upper, work: paths.work, target: paths.rootfs });
  } catch (error) {
    throw mountFailed(paths.rootfs, error);
  }
}

export interface RootfsMount {
  readonly source: RootfsSource;
  readonly paths: AppPaths;
  /** Path of the one whose users the image's files belong to; what the pod writes then belongs to them on the disk, too. */
  readonly userNamespace: string | undefined;
}

interface LowerMount {
  readonly target: string;
  readonly userNamespace: string | undefined;
}

function mountLower(syscalls: Syscalls, source: RootfsSource, mount: LowerMount): void {
  if (source.type === 'erofs') syscalls.mountErofs({ source: source.source, devices: source.devices, ...mount });
  else syscalls.mountBind({ source: source.path, recursive: false, readOnly: true, ...mount });
}

/** Owner and mode of an overlay's root are the upper directory's, which would otherwise follow our umask. */
function copyRootAttributes(lower: string, upper: string): void {
  const { uid, gid, mode } = statSync(lower);
  chownSync(upper, uid, gid);
  chmodSync(upper, mode & 0o7777);
}

function mountFailed(path: string, error: unknown): Stage1Error {
  const reason = error instanceof SystemCallError ? `${error.syscall}: ${error.code}` : String(error);
  const message = `cannot mount root filesystem ${quote(path, 400)}: ${reason}`;
  return new Stage1Error('ERR_RKT_STAGE1_MOUNT_FAILED', message, { cause: error });
}
