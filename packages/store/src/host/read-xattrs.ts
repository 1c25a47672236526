// SPDX-License-Identifier: Apache-2.0
import { hasErrno } from '../errors.ts';
import type { BytePath } from './open-directory.ts';
import type { TreeSyscalls } from './tree-syscalls.ts';

export type XattrCalls = Pick<TreeSyscalls, 'llistxattr' | 'lgetxattr'>;

/** What extraction sets. Labels of security modules are the host's business and depend on the place. */
const OURS = /^(user\.|trusted\.|system\.posix_acl_|security\.capability$)/;

/** Extended attributes an image can give a file, sorted, each byte a character. Does not follow symbolic links. */
export function xattrNames(calls: XattrCalls, path: BytePath): readonly string[] {
  let list: Uint8Array;
  try {
    list = calls.llistxattr(path);
  } catch (error) {
    if (hasErrno(error, 'ENOTSUP') || hasErrno(error, 'EOPNOTSUPP')) return [];
    throw error;
  }
  const names = Buffer.from(list).toString('latin1').split('\0');
  return names.filter((name) => OURS.test(name)).sort();
}
