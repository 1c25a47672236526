// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { type GroupEntry, type PasswdEntry, readGroup, readPasswd } from './user-database.ts';

export interface UserRequest {
  /** A name or a number. */
  readonly user: string;
  /** A name or a number; empty for the user's primary group. */
  readonly group: string;
  readonly supplementaryGids?: readonly number[];
  /**
   * The group only stands where one has to: the user's primary group is meant. So it is in images converted from Docker's
   * whose `USER` names no group, because appc refuses an empty one.
   *
   * @default false
   */
  readonly groupUnstated?: boolean;
}

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Without `gid`, ascending. */
  readonly additionalGids: readonly number[];
  /** An absolute path. */
  readonly home: string;
  /** Absent when the uid has no passwd entry. */
  readonly name?: string;
}

/** The kernel's ids are 32 bits wide, but many programs take them as signed. */
const maxId = 2 ** 31 - 1;
/** Linux NGROUPS_MAX. */
const maxGroups = 65_536;

/**
 * Who an app runs as, by the image's own /etc/passwd and /etc/group (undefined: the image has none).
 *
 * Digits are always a number, never a name: an image cannot give root's uid to a user called `1000`, and a number out of
 * range is an error instead of a name to look up. Without a group the user gets the primary group (0 when the uid is not
 * in passwd) and the supplementary groups the files state; with a group, that one and no others of the files.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_USER_NOT_FOUND, ERR_RKT_STAGE1_GROUP_NOT_FOUND, ERR_RKT_STAGE1_ID_OUT_OF_RANGE
 *   (0 to 2^31-1 is allowed), ERR_RKT_STAGE1_USER_DATABASE_INVALID (larger than 4 Mi characters)
 */
export function resolveUser(passwd: string | undefined, group: string | undefined, request: UserRequest): ResolvedUser {
  const { uid, entry } = findUser(readPasswd(passwd ?? ''), request.user);
  const groups = readGroup(group ?? '');
  const stated = statedGroup(groups, request);
  const gid = stated ?? checkedId(entry?.gid ?? 0, 'primary group of user', request.user);
  const fromFiles = stated === undefined && entry ? groupsOf(groups, entry.name) : [];
  return {
    uid,
    gid,
    additionalGids: additionalGids(gid, [...fromFiles, ...(request.supplementaryGids ?? [])]),
    home: homeOf(uid, entry),
    ...(entry && { name: entry.name }),
  };
}

function findUser(
  entries: readonly PasswdEntry[],
  user: string,
): { readonly uid: number; readonly entry: PasswdEntry | undefined } {
  const text = user === '' ? '0' : user;
  const number = parseId(text, 'user');
  if (number !== undefined) return { uid: number, entry: entries.find((entry) => entry.uid === number) };
  const entry = entries.find((candidate) => candidate.name === text);
  if (!entry) {
    throw new Stage1Error('ERR_RKT_STAGE1_USER_NOT_FOUND', `user ${quote(text)} is not in the image's /etc/passwd`);
  }
  return { uid: checkedId(entry.uid, 'uid of user', text), entry };
}

/** Undefined when the request leaves the group to the user. */
function statedGroup(groups: readonly GroupEntry[], request: UserRequest): number | undefined {
  if (request.group === '' || request.groupUnstated) return undefined;
  const number = parseId(request.group, 'group');
  if (number !== undefined) return number;
  const entry = groups.find((candidate) => candidate.name === request.group);
  if (entry) return checkedId(entry.gid, 'gid of group', request.group);
  // Converted by others, an image may state the name as the group too, whether or not such a group exists.
  if (request.group === request.user) return undefined;
  const message = `group ${quote(request.group)} is not in the image's /etc/group`;
  throw new Stage1Error('ERR_RKT_STAGE1_GROUP_NOT_FOUND', message);
}

function groupsOf(groups: readonly GroupEntry[], user: string): readonly number[] {
  return groups
    .filter((group) => group.members.includes(user))
    .map((group) => checkedId(group.gid, 'gid of group', group.name));
}

function additionalGids(gid: number, candidates: readonly number[]): readonly number[] {
  const gids = new Set(candidates.map((candidate) => checkedId(candidate, 'supplementary group', String(candidate))));
  gids.delete(gid);
  if (gids.size > maxGroups) {
    const message = `too many supplementary groups: expected at most ${maxGroups}, got ${gids.size}`;
    throw new Stage1Error('ERR_RKT_STAGE1_USER_DATABASE_INVALID', message);
  }
  return [...gids].sort((a, b) => a - b);
}

function homeOf(uid: number, entry: PasswdEntry | undefined): string {
  if (entry?.home.startsWith('/')) return entry.home;
  return uid === 0 ? '/root' : '/';
}

/** Undefined when the text is a name. A sign makes it a number too: `-1` must not be looked up. */
function parseId(text: string, what: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? checkedId(Number(text), what, text) : undefined;
}

function checkedId(id: number, what: string, text: string): number {
  if (Number.isInteger(id) && id >= 0 && id <= maxId) return id;
  const message = `${what} ${quote(text)} is out of range: expected 0 to ${maxId}, got ${id}`;
  throw new Stage1Error('ERR_RKT_STAGE1_ID_OUT_OF_RANGE', message);
}
