// SPDX-License-Identifier: Apache-2.0
import type { ByteString, TreeNode } from '@rkt/appc';

/** NAME_MAX, and what EROFS stores. */
const MAX_NAME_LENGTH = 255;
/** PATH_MAX without the terminator: what symlink(2) takes. */
const MAX_TARGET_LENGTH = 4095;
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xfffff;
/** -1 as an unsigned number means "no owner" to the kernel. */
const MAX_OWNER = 0xffffffff - 1;

/** Whether a byte string can be the name of an entry of a directory. */
export function isFileName(name: ByteString): boolean {
  const special = name === '' || name === '.' || name === '..';
  return !special && name.length <= MAX_NAME_LENGTH && !name.includes('/') && !name.includes('\0');
}

/** Why no Linux file system can hold a node as the archive states it; `undefined` if one can. */
export function unrepresentable(node: TreeNode): string | undefined {
  const { uid, gid, mtime, mtimeNanoseconds } = node.attributes;
  if (!isWithin(uid, MAX_OWNER)) return `user ID out of range: ${uid}`;
  if (!isWithin(gid, MAX_OWNER)) return `group ID out of range: ${gid}`;
  if (!Number.isSafeInteger(mtime)) return `modification time out of range: ${mtime}`;
  if (!isWithin(mtimeNanoseconds, 999_999_999)) return `nanoseconds out of range: ${mtimeNanoseconds}`;
  switch (node.kind) {
    case 'file':
      return isWithin(node.size, Number.MAX_SAFE_INTEGER) ? undefined : `file size out of range: ${node.size}`;
    case 'symlink':
      return isTarget(node.target) ? undefined : `symbolic link target of ${node.target.length} bytes or with a NUL`;
    case 'character-device':
    case 'block-device':
      if (isWithin(node.major, MAX_MAJOR) && isWithin(node.minor, MAX_MINOR)) return undefined;
      return `device number out of range: ${node.major}:${node.minor}`;
    default:
      return undefined;
  }
}

function isTarget(target: string): boolean {
  return target.length > 0 && target.length <= MAX_TARGET_LENGTH && !target.includes('\0');
}

function isWithin(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
