// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import { imageLock } from '../cas/layout.ts';
import { tryLock } from '../cas/locks.ts';
import { markedRemovals, unmarkRemoval } from '../cas/removal-mark.ts';
import { tidyUp } from '../cas/tidy-up.ts';
import type { StoreContext } from '../context.ts';
import { findImage } from '../records/images.ts';
import { removeImageFiles } from './remove-image.ts';
import type { OnRemoved } from './sweep-layers.ts';

/**
 * Removes what is left of an image that has no row: it was being put, or removed, when somebody was stopped.
 *
 * @throws PERMISSION, IO
 */
export async function removeOrphan(context: StoreContext, id: ImageId, onRemoved: OnRemoved): Promise<void> {
  await using lock = await tryLock(imageLock(context.layout, id));
  // Taken: it is being put, or removed, right now.
  if (lock === undefined) return;
  const isRecorded = context.database.read((sql) => findImage(sql, id)) !== undefined;
  // It has been put since we looked, or its removal was stopped before it was committed.
  await (isRecorded ? unmarkRemoval(context, id) : removeImageFiles(context, id, onRemoved));
}

/**
 * Brings to an end what those who were stopped have begun. What cannot be removed keeps nobody from using the store: a
 * collection says what is the matter with it.
 */
export async function settleRemovals(context: StoreContext): Promise<void> {
  await tidyUp(async () => {
    for (const id of markedRemovals(context.layout)) {
      await tidyUp(() => removeOrphan(context, id, () => undefined));
    }
  });
}
