// SPDX-License-Identifier: Apache-2.0
import type { ByteString, TreeNode } from '@rkt/appc';

/**
 * What of a tree reaches the disk, the same for every backend. A rendered tree is the lower layer of an overlay, so
 * nothing in it may speak overlayfs's own language: a character device 0:0 is a whiteout to it, and the attributes
 * `trusted.overlay.*` and `user.overlay.*` are its redirects and opaque marks. Attributes the kernel would refuse to
 * set or to show are left out too, so that backends agree.
 */
export function isRendered(node: TreeNode): boolean {
  return node.kind !== 'character-device' || node.major !== 0 || node.minor !== 0;
}

/** Extended attributes of a node that are rendered, in the order of the archive. */
export function renderedXattrs(node: TreeNode): readonly (readonly [name: ByteString, value: ByteString])[] {
  const { xattrs } = node.attributes;
  if (xattrs === undefined) return NO_XATTRS;
  const kept: (readonly [ByteString, ByteString])[] = [];
  for (const [name, value] of xattrs) {
    if (isXattrRendered(node, name, value)) kept.push([name, value]);
  }
  return kept;
}

const NO_XATTRS: readonly (readonly [ByteString, ByteString])[] = [];

function isXattrRendered(node: TreeNode, name: ByteString, value: ByteString): boolean {
  if (name.includes('\0')) return false;
  switch (name) {
    case 'system.posix_acl_access':
      return node.kind !== 'symlink' && isPosixAcl(value);
    case 'system.posix_acl_default':
      return node.kind === 'directory' && isPosixAcl(value);
  }
  if (name.startsWith('trusted.')) return name.length > 8 && !name.startsWith('trusted.overlay.');
  if (name.startsWith('security.')) return name.length > 9;
  // The kernel has user.* on files and directories only (xattr(7)).
  const mayHaveUserXattrs = node.kind === 'file' || node.kind === 'directory';
  return mayHaveUserXattrs && name.startsWith('user.') && name.length > 5 && !name.startsWith('user.overlay.');
}

const ACL_VERSION = '\x02\0\0\0';
const ACL_ENTRY_SIZE = 8;
/** ACL_USER_OBJ 0x01, USER 0x02, GROUP_OBJ 0x04, GROUP 0x08, MASK 0x10, OTHER 0x20 of linux/posix_acl.h. */
const ACL_TAGS: ReadonlySet<number> = new Set([0x01, 0x02, 0x04, 0x08, 0x10, 0x20]);

/** Whether a value has the form of a POSIX ACL; the kernel fails every access to a file whose ACL it cannot read. */
function isPosixAcl(value: ByteString): boolean {
  if (!value.startsWith(ACL_VERSION) || value.length === 4 || (value.length - 4) % ACL_ENTRY_SIZE !== 0) return false;
  for (let at = 4; at < value.length; at += ACL_ENTRY_SIZE) {
    const tag = value.charCodeAt(at) | (value.charCodeAt(at + 1) << 8);
    const permissions = value.charCodeAt(at + 2) | (value.charCodeAt(at + 3) << 8);
    if (!ACL_TAGS.has(tag) || permissions > 7) return false;
  }
  return true;
}
