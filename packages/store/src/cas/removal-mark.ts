// SPDX-License-Identifier: Apache-2.0
import { closeSync, existsSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { ImageId } from '@rkt/appc';
import type { FileContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import { syncDirectory } from './atomic-write.ts';
import { isFullImageId, type Layout, MARK_OF_REMOVAL, removalMark } from './layout.ts';
import { PRIVATE } from './modes.ts';

/**
 * A removed image has no row, but for a while it has its files, of which the database would be made again. So the files are
 * marked before the row goes, until they are gone: of what is marked no image is made. Where there is a row, the mark is one of
 * a removal that was stopped before it was committed, and says nothing.
 *
 * The image's lock is needed for all that follows.
 */

/**
 * Durable when it returns. Synchronous, for the transaction that deletes the row.
 *
 * @throws DISK_FULL, PERMISSION, IO
 */
export function markRemoval({ layout, step }: FileContext, id: ImageId): void {
  const mark = removalMark(layout, id);
  try {
    step(`open ${mark}`);
    closeSync(openSync(mark, 'w', PRIVATE.file));
    step(`fsync ${layout.temporary}`);
    const directory = openSync(layout.temporary, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch (error) {
    throw toStoreError(error, 'cannot mark an image as removed', mark);
  }
}

/** The image is there again, or all of it is gone. @throws PERMISSION, IO */
export async function unmarkRemoval({ layout, step }: FileContext, id: ImageId): Promise<void> {
  const mark = removalMark(layout, id);
  try {
    step(`remove ${mark}`);
    await rm(mark, { force: true });
  } catch (error) {
    throw toStoreError(error, 'cannot remove from the store', mark);
  }
}

/** For an image that is to be put: what is left of its removal must not be taken for one of the new image. @throws PERMISSION, IO */
export async function forgetRemoval(context: FileContext, id: ImageId): Promise<void> {
  if (!isRemoved(context.layout, id)) return;
  await unmarkRemoval(context, id);
  await syncDirectory(context, context.layout.temporary);
}

/** Whether an image that has no row was removed, and not just never put. */
export function isRemoved(layout: Layout, id: ImageId): boolean {
  return existsSync(removalMark(layout, id));
}

/** All images that are marked. */
export function markedRemovals({ temporary }: Layout): readonly ImageId[] {
  return readdirSync(temporary)
    .filter((name) => name.endsWith(MARK_OF_REMOVAL))
    .map((name) => name.slice(0, -MARK_OF_REMOVAL.length))
    .filter(isFullImageId);
}
