// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '@rkt/appc';
import type { UserRange } from '../../store.ts';

/** Whom a pod sees where a file belongs to nobody of it (/proc/sys/kernel/overflowuid). */
const OVERFLOW_ID = 65_534;

/** What owners are called in the pod that are `users` of the host; the same where it has none of its own. */
export function idInPod(id: number, users: UserRange | undefined): number {
  if (users === undefined) return id;
  const own = id - users.first;
  return own >= 0 && own < users.count ? own : OVERFLOW_ID;
}

/**
 * An extended attribute as the pod set it: users are named by capabilities, of which the kernel notes whose root they are for, and
 * by access lists. Values that have no such form stay what they are; undefined for one that says nothing to anybody in the pod.
 */
export function xattrInPod(name: ByteString, value: ByteString, users: UserRange | undefined): ByteString | undefined {
  if (users === undefined) return value;
  if (name === 'security.capability') return capabilityInPod(value, users);
  return name.startsWith('system.posix_acl_') ? aclInPod(value, users) : value;
}

/** linux/capability.h: a number with revision and flags, two pairs of sets, and in revision 3 the user whose root it is for. */
const REVISION_3 = 0x03;
const REVISION_2 = 0x02;
const REVISION_3_BYTES = 24;
const REVISION_2_BYTES = 20;

function capabilityInPod(value: ByteString, users: UserRange): ByteString | undefined {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length !== REVISION_3_BYTES || bytes[3] !== REVISION_3) return value;
  const root = bytes.readUInt32LE(REVISION_2_BYTES) - users.first;
  if (root < 0 || root >= users.count) return undefined;
  if (root === 0) {
    bytes[3] = REVISION_2;
    return bytes.toString('latin1', 0, REVISION_2_BYTES);
  }
  bytes.writeUInt32LE(root, REVISION_2_BYTES);
  return bytes.toString('latin1');
}

/** linux/posix_acl_xattr.h: a version, then entries of tag, permissions and, for these two tags, whom they are for. */
const ACL_HEADER_BYTES = 4;
const ACL_ENTRY_BYTES = 8;
const ACL_USER = 0x02;
const ACL_GROUP = 0x08;

function aclInPod(value: ByteString, users: UserRange): ByteString {
  const bytes = Buffer.from(value, 'latin1');
  for (let at = ACL_HEADER_BYTES; at + ACL_ENTRY_BYTES <= bytes.length; at += ACL_ENTRY_BYTES) {
    const tag = bytes.readUInt16LE(at);
    if (tag !== ACL_USER && tag !== ACL_GROUP) continue;
    bytes.writeUInt32LE(idInPod(bytes.readUInt32LE(at + 4), users), at + 4);
  }
  return bytes.toString('latin1');
}
