// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { Stage1Error } from '../error.ts';
import { type Syscalls, SystemCallError } from '../host/index.ts';
import { hasCode } from '../pod/index.ts';
import { quote } from '../quote.ts';

/** As many as the kernel follows. */
const maxLinks = 40;
const O_PATH = 0o10000000;
const O_NOFOLLOW = 0o400000;

/**
 * What a path means with `root` as the root directory, without any symbolic link in it; what does not exist is taken as
 * written. Runtimes differ in what they do with a link that leads nowhere, which many an image has as its resolv.conf.
 *
 * The answer holds while nobody changes the tree: to be asked when no app runs on it.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_MOUNT_FAILED for a loop of links
 */
export function resolveInRoot(syscalls: Syscalls, root: number, path: string): string {
  const pending = path.split('/').reverse();
  let resolved = '/';
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const next = posix.join(resolved, name);
    const found = name === '' || name === '.' || name === '..' ? undefined : linkTarget(syscalls, root, next);
    if (found === undefined) {
      resolved = next;
      continue;
    }
    links += 1;
    if (links > maxLinks) {
      const message = `too many symbolic links on the way to ${quote(path, 400)} in the image`;
      throw new Stage1Error('ERR_RKT_STAGE1_MOUNT_FAILED', message);
    }
    pending.push(...found.split('/').reverse());
    if (found.startsWith('/')) resolved = '/';
  }
  return resolved;
}

/** Undefined for what is no link, or is not there. The path's parent has no links any more. */
function linkTarget(syscalls: Syscalls, root: number, path: string): string | undefined {
  const parent = openOrUndefined(syscalls, root, posix.dirname(path));
  if (parent === undefined) return undefined;
  try {
    return isLink(syscalls, parent, posix.basename(path)) ? target(parent, posix.basename(path)) : undefined;
  } finally {
    closeSync(parent);
  }
}

function isLink(syscalls: Syscalls, parent: number, name: string): boolean {
  const entry = openOrUndefined(syscalls, parent, name);
  if (entry === undefined) return false;
  try {
    return fstatSync(entry).isSymbolicLink();
  } finally {
    closeSync(entry);
  }
}

/** Undefined, too, for a link that leads nowhere for us: `self` in the /proc of a pod, whose processes we are none of. */
function target(parent: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${parent}/${name}`);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function openOrUndefined(syscalls: Syscalls, directory: number, path: string): number | undefined {
  try {
    return syscalls.openInRoot(directory, path, O_PATH | O_NOFOLLOW);
  } catch (error) {
    if (error instanceof SystemCallError && ['ENOENT', 'ENOTDIR'].includes(error.code)) return undefined;
    throw error;
  }
}
