// SPDX-License-Identifier: Apache-2.0
import { chmodSync, closeSync, constants, fchmodSync, fchownSync } from 'node:fs';
import type { ByteString, TreeNode } from '@rkt/appc';
import { hasErrno } from '../../errors.ts';
import type { DirectoryEntry, FileTime } from '../../host/tree-syscalls.ts';
import { renderedXattrs } from '../rendered-content.ts';
import { type Extraction, O_PATH } from './extraction.ts';

/*
 * The order matters: a change of owner clears setuid bits and capabilities, a change of mode rewrites ACLs and may
 * bar the owner from setting `user.*` attributes, and all of it changes times.
 */

/** Gives an open file or directory its attributes. */
export function applyToHandle(extraction: Extraction, handle: number, node: TreeNode): void {
  const { attributes } = node;
  const set: SetXattr = (name, value) => extraction.calls.fsetxattr(handle, name, value);
  if (extraction.privileged) fchownSync(handle, attributes.uid, attributes.gid);
  setXattrs(extraction, node, set, isUserXattr);
  fchmodSync(handle, modeOf(extraction, node));
  setXattrs(extraction, node, set, (name) => !isUserXattr(name));
  extraction.calls.futimens(handle, modificationTime(node));
}

/** Who is barred from a directory of his own can neither rename it nor remove what is in it: only root never is. */
function modeOf({ privileged }: Extraction, { kind, attributes }: TreeNode): number {
  return (attributes.mode & 0o7777) | (kind === 'directory' && !privileged ? 0o700 : 0);
}

/** The same for what must not be opened: symbolic links, devices, fifos. */
export function applyToEntry(extraction: Extraction, entry: DirectoryEntry, node: TreeNode): void {
  const { calls, privileged } = extraction;
  const { uid, gid } = node.attributes;
  if (privileged) calls.fchownat(entry, uid, gid);
  if (node.kind !== 'symlink') changeMode(extraction, entry, modeOf(extraction, node));
  setXattrs(
    extraction,
    node,
    (name, value) => calls.lsetxattr(entry, name, value),
    () => true,
  );
  calls.utimensat(entry, modificationTime(node));
}

/** By a handle to the entry itself: fchmodat without following links needs Linux 6.6. */
function changeMode({ calls }: Extraction, entry: DirectoryEntry, mode: number): void {
  const handle = calls.openat(entry.directory, entry.name, O_PATH | constants.O_NOFOLLOW, 0);
  try {
    chmodSync(`/proc/self/fd/${handle}`, mode);
  } finally {
    closeSync(handle);
  }
}

type SetXattr = (name: ByteString, value: Uint8Array) => void;

function setXattrs(
  { privileged }: Extraction,
  node: TreeNode,
  set: SetXattr,
  chosen: (name: ByteString) => boolean,
): void {
  const xattrs = renderedXattrs(node).filter(([name]) => chosen(name) && (privileged || !isPrivilegedXattr(name)));
  // Writing other attributes may clear capabilities: they come last.
  const ordered = [
    ...xattrs.filter(([name]) => name !== CAPABILITY),
    ...xattrs.filter(([name]) => name === CAPABILITY),
  ];
  for (const [name, value] of ordered) {
    try {
      set(name, Buffer.from(value, 'latin1'));
    } catch (error) {
      // Without privileges the file system under the home directory decides what there is.
      if (privileged || !(hasErrno(error, 'ENOTSUP') || hasErrno(error, 'EOPNOTSUPP'))) throw error;
    }
  }
}

const CAPABILITY = 'security.capability';

function isUserXattr(name: ByteString): boolean {
  return name.startsWith('user.');
}

function isPrivilegedXattr(name: ByteString): boolean {
  return name.startsWith('trusted.') || name.startsWith('security.');
}

function modificationTime({ attributes }: TreeNode): FileTime {
  return { seconds: attributes.mtime, nanoseconds: attributes.mtimeNanoseconds };
}
