// SPDX-License-Identifier: Apache-2.0
import type { BytePath } from '../host/open-directory.ts';
import { type XattrCalls, xattrNames } from '../host/read-xattrs.ts';

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
