// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { isNotFound, toStoreError } from '../errors.ts';
import type { Layout } from './layout.ts';

/** Modes of what others may be meant to read. Whatever may hold half of something, or files of an image, is the owner's alone. */
export interface Modes {
  readonly directory: number;
  readonly file: number;
}

/** Whatever the group of a store may do. */
export const PRIVATE: Modes = { directory: 0o700, file: 0o600 };
const GROUP_READABLE: Modes = { directory: 0o2750, file: 0o640 };
/** The group may read, and what is made in it is the group's, too. */
const GIVEN_TO_GROUP = 0o2050;

/** A store is its owner's alone, unless `cas` has been given to a group to read (mode 2750) by whoever made it. */
export function modesOf(layout: Layout): Modes {
  try {
    return (statSync(layout.cas).mode & GIVEN_TO_GROUP) === GIVEN_TO_GROUP ? GROUP_READABLE : PRIVATE;
  } catch (error) {
    if (isNotFound(error)) return PRIVATE;
    throw toStoreError(error, 'cannot look at the store', layout.cas);
  }
}
