// SPDX-License-Identifier: Apache-2.0
import type { ByteString, TreeNode } from '@rkt/appc';
import { renderedXattrs } from '../rendered-content.ts';
import { XATTR_ENTRY_SIZE, XATTR_HEADER_SIZE } from './format.ts';

/** One attribute as EROFS stores it: the well-known prefix is a number. */
export interface EncodedXattr {
  readonly prefixIndex: number;
  readonly suffix: ByteString;
  readonly value: ByteString;
}

/** `i_xattr_icount` is 16 bits wide and counts 4-byte units after the header. */
export const MAX_XATTR_BODY_SIZE: number = XATTR_HEADER_SIZE + (0xffff - 1) * 4;
const MAX_VALUE_SIZE = 0xffff;
const MAX_SUFFIX_LENGTH = 0xff;

/** Longest first where one begins with another. The two ACLs are whole names: their suffix is empty. */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
];

const NONE: readonly EncodedXattr[] = [];

/** The attributes of a node that EROFS will show; `undefined` if one is larger than the format allows. */
export function encodeXattrs(node: TreeNode): readonly EncodedXattr[] | undefined {
  if (node.attributes.xattrs === undefined) return NONE;
  const encoded: EncodedXattr[] = [];
  for (const [name, value] of renderedXattrs(node)) {
    const prefix = PREFIXES.find(([text]) => name.startsWith(text));
    if (prefix === undefined) continue;
    const suffix = name.slice(prefix[0].length);
    if (suffix.length > MAX_SUFFIX_LENGTH || value.length > MAX_VALUE_SIZE) return undefined;
    encoded.push({ prefixIndex: prefix[1], suffix, value });
  }
  return xattrBodySize(encoded) > MAX_XATTR_BODY_SIZE ? undefined : encoded;
}

/** Bytes the attributes take after their inode: 0 without any, otherwise a multiple of 4. */
export function xattrBodySize(xattrs: readonly EncodedXattr[]): number {
  if (xattrs.length === 0) return 0;
  return xattrs.reduce((size, xattr) => size + entrySize(xattr), XATTR_HEADER_SIZE);
}

/** The value of `i_xattr_icount`. */
export function xattrCount(bodySize: number): number {
  return bodySize === 0 ? 0 : (bodySize - XATTR_HEADER_SIZE) / 4 + 1;
}

/** Writes header and entries at `offset` of a zeroed image. */
export function writeXattrs(image: Buffer, offset: number, xattrs: readonly EncodedXattr[]): void {
  let at = offset + XATTR_HEADER_SIZE;
  for (const xattr of xattrs) {
    image[at] = xattr.suffix.length;
    image[at + 1] = xattr.prefixIndex;
    image.writeUInt16LE(xattr.value.length, at + 2);
    image.write(xattr.suffix, at + XATTR_ENTRY_SIZE, 'latin1');
    image.write(xattr.value, at + XATTR_ENTRY_SIZE + xattr.suffix.length, 'latin1');
    at += entrySize(xattr);
  }
}

function entrySize({ suffix, value }: EncodedXattr): number {
  return (XATTR_ENTRY_SIZE + suffix.length + value.length + 3) & ~3;
}
