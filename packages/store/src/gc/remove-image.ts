// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import type { ImageId } from '@rkt/appc';
import { deleteDeadHolds } from '../cas/holds.ts';
import { directoryTree, erofsTree, imageDirectory, imageLock, isFullImageId } from '../cas/layout.ts';
import { acquireLock } from '../cas/locks.ts';
import { markRemoval, unmarkRemoval } from '../cas/removal-mark.ts';
import { keepReserve, withReserve } from '../cas/reserve.ts';
import { temporaryPath } from '../cas/temporary.ts';
import { tidyUp } from '../cas/tidy-up.ts';
import { removeTree } from '../cas/visit-files.ts';
import { requireWritable, type StoreContext } from '../context.ts';
import { isStoreError, printable, StoreError, toStoreError } from '../errors.ts';
import { imageNotFound } from '../images/not-found.ts';
import { deleteDeadLeases, leasesOf } from '../leases/leases.ts';
import { deleteImage, findImage } from '../records/images.ts';
import type { RemovedItem } from '../store.ts';
import { runAll } from './run-all.ts';
import {
  deleteUnusedRows,
  type LockedLayers,
  lockLayers,
  type OnRemoved,
  removeLayerFiles,
  sweepLayer,
} from './sweep-layers.ts';

export interface RemoveOptions {
  readonly onRemoved: OnRemoved;
  /** Counts as in use when it was used later than this. */
  readonly usedBefore?: number;
}

/**
 * See {@link Store.removeImage}. Once its row is gone, so is the image: what then cannot be removed is for the next collection.
 *
 * @throws IMAGE_NOT_FOUND, IMAGE_IN_USE, PERMISSION, IO
 */
export async function removeImage(context: StoreContext, id: ImageId, options: RemoveOptions): Promise<void> {
  requireWritable(context, 'remove an image');
  if (!isFullImageId(id)) throw imageNotFound(id);
  // Kept until the files are gone: the same image put again meanwhile would lose its new ones.
  await using _lock = await acquireLock(imageLock(context.layout, id));
  const record = context.database.read((sql) => findImage(sql, id));
  if (record === undefined) throw imageNotFound(id);
  await using layers = await lockLayers(context, record.layers);
  const { onRemoved } = options;
  const unused = await commitRemoval(context, id, { ...options, layers });
  layers.keepOnly(unused);
  // Somebody had these, who may have found them in use by this image and left them.
  const left = [...new Set(record.layers)].filter((diffId) => !layers.diffIds.includes(diffId));
  const others = (): Promise<void> => removeImageFiles(context, id, onRemoved);
  try {
    await runAll([
      () => removeLayerFiles(context, unused, { onRemoved, others }),
      ...left.map((diffId) => () => sweepLayer(context, diffId, onRemoved)),
    ]);
  } catch (error) {
    throw goneAllTheSame(error, id);
  }
  await keepReserve(context);
}

/** The image has no row any more: whoever removes it again is told that there is none. */
function goneAllTheSame(error: unknown, id: ImageId): unknown {
  if (!isStoreError(error)) return error;
  const text = `${error.message}; the image is gone: \`rkt image gc\` removes what is left`;
  const path = error.path === undefined ? {} : { path: error.path };
  return new StoreError(error.code, text, { cause: error, subject: id, ...path });
}

/** @returns layers that nothing uses any more */
async function commitRemoval(context: StoreContext, id: ImageId, rows: RowsToDelete): Promise<readonly string[]> {
  try {
    return await withReserve(context, () => deleteRows(context, id, rows));
  } catch (error) {
    await tidyUp(() => unmarkRemoval(context, id));
    throw error;
  }
}

/**
 * Removes the manifest and the trees of an image that is no longer recorded, and at last what says that it was removed. To be
 * called with the image's lock.
 */
export async function removeImageFiles(context: StoreContext, id: ImageId, onRemoved: OnRemoved): Promise<void> {
  const { layout } = context;
  const remove = async (kind: RemovedItem['kind'], path: string): Promise<void> => {
    const size = await removePath(context, path);
    if (size !== undefined) onRemoved({ kind, id, size });
  };
  await runAll([
    () => remove('tree', erofsTree(layout, id)),
    () => remove('tree', directoryTree(layout, id)),
    () => remove('image', imageDirectory(layout, id)),
  ]);
  await unmarkRemoval(context, id);
}

interface RowsToDelete extends Pick<RemoveOptions, 'usedBefore'> {
  /** Those of the image. */
  readonly layers: LockedLayers;
}

/** All at once: to wait for the disk is most of what a removal takes. @returns layers that nothing uses any more */
function deleteRows(context: StoreContext, id: ImageId, { usedBefore, layers }: RowsToDelete): readonly string[] {
  return context.database.transaction((sql) => {
    const record = findImage(sql, id);
    if (record === undefined) throw imageNotFound(id);
    deleteDeadLeases(sql);
    deleteDeadHolds(context, sql);
    const leases = leasesOf(sql, id);
    if (leases.length > 0 || record.lastUsedAt > (usedBefore ?? Number.POSITIVE_INFINITY)) {
      throw new StoreError('ERR_RKT_STORE_IMAGE_IN_USE', `image ${id} is in use${by(leases.flat())}`, { subject: id });
    }
    deleteImage(sql, id);
    const unused = deleteUnusedRows(sql, layers);
    // Last before the commit: where the two do not go together, it is for the shortest time.
    markRemoval(context, id);
    return unused;
  });
}

/** Names the first of the pod directories that leases are bound to. */
function by([first, ...others]: readonly string[]): string {
  if (first === undefined) return '';
  return ` by ${printable(first)}${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

/** Out of sight first: a directory that takes long to remove is never seen half empty. */
async function removePath(context: StoreContext, path: string): Promise<number | undefined> {
  if (!existsSync(path)) return undefined;
  const aside = temporaryPath(context, 'removed');
  try {
    context.step(`rename ${aside}`);
    await rename(path, aside);
    context.step(`remove ${aside}`);
    return await removeTree(aside);
  } catch (error) {
    throw toStoreError(error, 'cannot remove from the store', path);
  }
}
