// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../error.ts';

/** A line of /etc/passwd. `uid` and `gid` are NaN where the file has no number. */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A line of /etc/group. `gid` is NaN where the file has no number. */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const maxCharacters = 4 * 1024 * 1024;
const maxLineCharacters = 64 * 1024;

/** passwd(5). Lines that are not entries (comments, too few fields, longer than 64 Ki characters, NUL) do not count. */
export function readPasswd(text: string): readonly PasswdEntry[] {
  return lines(text, '/etc/passwd').flatMap((line) => {
    const [name, , uid, gid, , home] = line.split(':', 7);
    if (name === undefined || uid === undefined || gid === undefined) return [];
    return [{ name, uid: number(uid), gid: number(gid), home: home ?? '' }];
  });
}

/** group(5), under the same rules. */
export function readGroup(text: string): readonly GroupEntry[] {
  return lines(text, '/etc/group').flatMap((line) => {
    const [name, , gid, members] = line.split(':', 4);
    if (name === undefined || gid === undefined) return [];
    return [{ name, gid: number(gid), members: (members ?? '').split(',').filter((member) => member !== '') }];
  });
}

function lines(text: string, path: string): readonly string[] {
  if (text.length > maxCharacters) {
    const message = `the image's ${path} is too large: expected at most ${maxCharacters} characters, got ${text.length}`;
    throw new Stage1Error('ERR_RKT_STAGE1_USER_DATABASE_INVALID', message);
  }
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length <= maxLineCharacters && !line.includes('\0') && /^[^#:][^:]*:/.test(line));
}

function number(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
