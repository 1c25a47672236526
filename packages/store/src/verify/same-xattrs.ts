// SPDX-License-Identifier: Apache-2.0
import { hasErrno } from '../errors.ts';
import type { BytePath } from '../host/open-directory.ts';
import type { TreeSyscalls } from '../host/tree-syscalls.ts';

export type XattrCalls = Pick<TreeSyscalls, 'llistxattr' | 'lgetxattr'>;

/** What extraction sets. Labels of security modules are the host's business and depend on the place. */
const OURS = /^(user\.|trusted\.|system\.posix_acl_|security\.capability$)/;

/** Whether two files have the same extended attributes, of those an image can give them. */
export function isSameXattrs(calls: XattrCalls, one: BytePath, other: BytePath): boolean {
  const names = xattrNames(calls, one);
  const otherNames = xattrNames(calls, other);
  if (names.length !== otherNames.length || names.some((name, at) => otherNames[at] !== name)) return false;
  return names.every((text) => {
    const name = Buffer.from(text, 'latin1');
    return Buffer.compare(calls.lgetxattr(one, name), calls.lgetxattr(other, name)) === 0;
  });
}

/** Sorted, each byte a character. */
function xattrNames(calls: XattrCalls, path: BytePath): readonly string[] {
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
