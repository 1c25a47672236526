// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { imageLock } from '../cas/layout.ts';
import { tryLock } from '../cas/locks.ts';
import { keepReserve, withReserve } from '../cas/reserve.ts';
import { abandonedTemporaries } from '../cas/temporary.ts';
import { removeTree } from '../cas/visit-files.ts';
import { requireWritable, type StoreContext } from '../context.ts';
import { isStoreError, toStoreError } from '../errors.ts';
import { findImage } from '../records/images.ts';
import type { AbortOptions, GcOptions, RemovedItem } from '../store.ts';
import { garbageImages, garbageLayers, orphanImages } from './garbage.ts';
import { planGc } from './plan.ts';
import { removeImage, removeImageFiles } from './remove-image.ts';
import { chooseOverCap, type OverCap, sizeCap } from './size-cap.ts';
import { sweepLayer } from './sweep-layers.ts';

const DEFAULT_GRACE_MS = 24 * 60 * 60 * 1000;

/**
 * See {@link Store.gc}. Each thing is removed on its own, under its lock and after a last look in a transaction, so
 * that fetches and runs go on meanwhile. Layers no image refers to stay for the grace time too: an interrupted fetch
 * finds them when it is tried again.
 *
 * @throws PERMISSION, BUSY, IO
 */
export async function gc(context: StoreContext, options: GcOptions = {}): Promise<readonly RemovedItem[]> {
  options.signal?.throwIfAborted();
  requireWritable(context, 'collect garbage');
  const before = context.now() - (options.graceMs ?? DEFAULT_GRACE_MS);
  if (options.dryRun === true) return planGc(context, { before, cap: await sizeCap(context, options.maxBytes) });
  const { database } = context;
  const removed = [...(await sweepAbandoned(context))];
  const expired = await withReserve(context, () => database.transaction((sql) => garbageImages(context, sql, before)));
  for (const id of expired) {
    options.signal?.throwIfAborted();
    removed.push(...(await removeUnlessUsed(context, id, before)));
  }
  const over = await overCap(context, options.maxBytes);
  removed.push(...(await sweepLayers(context, over.layers, options)));
  for (const { id, lastUsedAt } of over.images) {
    options.signal?.throwIfAborted();
    // Used again since: it is no longer the one that was used longest ago.
    removed.push(...(await removeUnlessUsed(context, id, lastUsedAt)));
  }
  for (const id of database.read((sql) => orphanImages(context, sql))) {
    removed.push(...(await removeOrphan(context, id)));
  }
  const layers = database.read((sql) => garbageLayers(context, sql, before));
  removed.push(...(await sweepLayers(context, layers, options)));
  await sweepLocks(context);
  await keepReserve(context);
  return removed;
}

async function overCap(context: StoreContext, maxBytes: number | undefined): Promise<OverCap> {
  const cap = await sizeCap(context, maxBytes);
  return cap === undefined ? { layers: [], images: [] } : context.database.rehearse((sql) => chooseOverCap(sql, cap));
}

async function sweepLayers(
  context: StoreContext,
  diffIds: readonly string[],
  { signal }: AbortOptions,
): Promise<readonly RemovedItem[]> {
  const removed: RemovedItem[] = [];
  for (const diffId of diffIds) {
    signal?.throwIfAborted();
    removed.push(...(await sweepLayer(context, diffId)));
  }
  return removed;
}

async function sweepAbandoned(context: StoreContext): Promise<readonly RemovedItem[]> {
  const removed: RemovedItem[] = [];
  for (const path of abandonedTemporaries(context)) {
    context.step(`remove ${path}`);
    try {
      const size = await removeTree(path);
      if (size !== undefined) removed.push({ kind: 'temporary', id: basename(path), size });
    } catch (error) {
      throw toStoreError(error, 'cannot remove a leftover', path);
    }
  }
  return removed;
}

/** Since it was chosen the image may have been leased, used or removed. */
async function removeUnlessUsed(
  context: StoreContext,
  id: ImageId,
  usedBefore: number,
): Promise<readonly RemovedItem[]> {
  try {
    return await removeImage(context, id, { usedBefore });
  } catch (error) {
    const code = isStoreError(error) ? error.code : undefined;
    if (code === 'ERR_RKT_STORE_IMAGE_IN_USE' || code === 'ERR_RKT_STORE_IMAGE_NOT_FOUND') return [];
    throw error;
  }
}

async function removeOrphan(context: StoreContext, id: ImageId): Promise<readonly RemovedItem[]> {
  await using lock = await tryLock(imageLock(context.layout, id));
  // Taken: it is being put right now. Recorded: it has been put since we looked.
  if (lock === undefined || context.database.read((sql) => findImage(sql, id)) !== undefined) return [];
  return await removeImageFiles(context, id);
}

/** Lock files of processes that were killed. Taking and releasing one removes it. */
async function sweepLocks(context: StoreContext): Promise<void> {
  for (const name of readdirSync(context.layout.locks)) {
    if (!/^(layer-|image-|database$)/.test(name)) continue;
    const lock = await tryLock(join(context.layout.locks, name));
    lock?.release();
  }
}
