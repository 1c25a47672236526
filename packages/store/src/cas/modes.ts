// SPDX-License-Identifier: Apache-2.0
import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isNotFound, printable, StoreError, toStoreError } from '../errors.ts';
import type { Layout } from './layout.ts';

/** Modes of what others may be meant to read. Whatever may hold half of something, or files of an image, is the owner's alone. */
export interface Modes {
  readonly directory: number;
  readonly file: number;
}

/** Whatever the group of a store may do. */
export const PRIVATE: Modes = { directory: 0o700, file: 0o600 };
/** The group may read, and what is made in it is the group's, too. */
const GROUP_READABLE: Modes = { directory: 0o2750, file: 0o640 };

const ALL_BITS = 0o7777;
const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;

/**
 * A store is its owner's alone, unless `cas` has been given to a group to read, by exactly the mode 2750, by whoever made it.
 *
 * @throws UNSAFE_MODE where others may write: they can put another `cas` in its place, or other images in `cas`
 */
export function modesOf(layout: Layout): Modes {
  refuseOthers(layout.dir, WRITABLE_BY_OTHERS, 'chmod 700 it, or 711 if a group may read the store');
  refuseOthers(layout.cas, WRITABLE_BY_OTHERS, 'chmod 700 it, or chmod 2750 it to let its group read the store');
  return modeOf(layout.cas) === GROUP_READABLE.directory ? GROUP_READABLE : PRIVATE;
}

/**
 * A store that is to be written to is the caller's own, or root's, where the kernel sees to the rest. Whoever owns a part of
 * it could change it, and root would run what is in it, or write through a link he put there.
 *
 * @throws UNSAFE_MODE
 */
export function requireOwn(layout: Layout): void {
  const trusted = [0, process.geteuid?.()];
  for (const path of [layout.dir, layout.cas, ...sharedParts(layout), ...privateParts(layout)]) {
    const owner = statsOf(path)?.uid ?? 0;
    if (trusted.includes(owner)) continue;
    throw new StoreError(
      'ERR_RKT_STORE_UNSAFE_MODE',
      `${printable(path)} belongs to the user with the ID ${owner}: use the store as that user, or another one with --dir`,
      { path },
    );
  }
}

/**
 * What is in a store that is to be written to is as closed as it was made. Nothing is put right here: who could enter may have
 * put something there, or hold it open, and a mode that is mended takes neither back.
 *
 * @throws UNSAFE_MODE
 */
export function requireClosed(layout: Layout): void {
  for (const path of sharedParts(layout)) {
    refuseOthers(path, WRITABLE_BY_OTHERS, 'chmod go-w it');
  }
  // Who can open a lock can take it; who can walk through trees can run what images have set to root.
  for (const path of privateParts(layout)) {
    refuseOthers(path, OPEN_TO_OTHERS, 'chmod 700 it');
  }
}

/** What a group may be meant to read. */
function sharedParts({ layers, images, database }: Layout): readonly string[] {
  return [dirname(layers), layers, images, database];
}

function privateParts({ temporary, trees, locks }: Layout): readonly string[] {
  return [temporary, trees, locks];
}

function refuseOthers(path: string, bits: number, remedy: string): void {
  const mode = modeOf(path);
  if (mode === undefined || (mode & bits) === 0) return;
  const may = (mode & WRITABLE_BY_OTHERS) === 0 ? 'enter' : 'write to';
  throw new StoreError(
    'ERR_RKT_STORE_UNSAFE_MODE',
    `others may ${may} ${printable(path)}, which has mode ${mode.toString(8)}: see that nothing in it is theirs, then ${remedy}`,
    { path },
  );
}

function modeOf(path: string): number | undefined {
  const stats = statsOf(path);
  return stats && stats.mode & ALL_BITS;
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toStoreError(error, 'cannot look at the store', path);
  }
}
