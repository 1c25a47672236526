// SPDX-License-Identifier: Apache-2.0
import type { Surveyed } from './survey.ts';

/** A field of an entry that two trees do not have in common; `entry` for one that only one of them has. */
export interface Difference {
  readonly path: string;
  readonly field: keyof Surveyed | 'entry';
  readonly ours: unknown;
  readonly theirs: unknown;
}

/** What umoci 0.4.7 is known to do otherwise. Each is argued in docs/trees.md. */
export const umociDifferences: Readonly<Record<string, (difference: Difference) => boolean>> = {
  'drops extended attributes without a value': ({ field, ours, theirs }) =>
    field === 'xattrs' && sameXattrs(theirs, ours, (_name, value) => value !== ''),
  'makes the device that overlayfs takes for a whiteout': ({ field, ours, theirs }) =>
    field === 'entry' && ours === undefined && isWhiteoutDevice(theirs),
  'unpacks the bookkeeping of AUFS': ({ path, field, ours }) =>
    field === 'entry' && ours === undefined && path.startsWith('.wh..wh.'),
  'gives directories that no entry states, and those they are in, the time of unpacking': isTimeOfUnpacking,
};

export function isTimeOfUnpacking({ field, theirs }: Difference): boolean {
  return field === 'mtime' && isJustNow(Number(theirs));
}

/** Whether `less` is what is left of `more` when only the attributes that `keeps` keeps are kept. */
function sameXattrs(less: unknown, more: unknown, keeps: (name: string, value: unknown) => boolean): boolean {
  const kept = Object.entries(more ?? {}).filter(([name, value]) => keeps(name, value));
  return JSON.stringify(Object.fromEntries(kept)) === JSON.stringify(less ?? {});
}

function isJustNow(seconds: number): boolean {
  const ago = Date.now() / 1000 - seconds;
  return ago > -1 && ago < 3600;
}

function isWhiteoutDevice(entry: unknown): boolean {
  const { mode = '', device } = entry as Partial<Surveyed>;
  return mode.startsWith('20') && device === '0';
}
