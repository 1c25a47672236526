// SPDX-License-Identifier: Apache-2.0
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { errorCode } from '../error-code.ts';

/** Who may read a file of secrets besides those it is meant for. */
export type FileExposure = 'everyone' | 'group';

const READABLE_BY_GROUP = 0o040;
const READABLE_BY_ALL = 0o004;
const ROOT = 0;

/** Whether others than its owner may read a file: see `exposureOf`. One that is not there is read by nobody. */
export async function fileExposure(path: string): Promise<FileExposure | undefined> {
  try {
    return exposureOf(await stat(path));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Whether everyone may read a file, or a group for which nobody seems to have meant it: what a user makes is of the user's
 * group, and that may be one of all users. A group with the number of the user is the user's own. Root's files are of root's
 * group unless somebody has given them to another one on purpose, as to those who may use rkt.
 */
export function exposureOf({ mode, uid, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>): FileExposure | undefined {
  if ((mode & READABLE_BY_ALL) !== 0) return 'everyone';
  const isMeant = uid === ROOT || gid === ROOT || gid === uid;
  return (mode & READABLE_BY_GROUP) !== 0 && !isMeant ? 'group' : undefined;
}
