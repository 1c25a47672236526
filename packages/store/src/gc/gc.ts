// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { tryLock } from '../cas/locks.ts';
import { markedRemovals } from '../cas/removal-mark.ts';
import { keepReserve, withReserve } from '../cas/reserve.ts';
import { abandonedTemporaries } from '../cas/temporary.ts';
import { removeTree } from '../cas/visit-files.ts';
import { requireWritable, type StoreContext } from '../context.ts';
import { isStoreError, toStoreError } from '../errors.ts';
import type { GcOptions, RemovalOptions, RemovedItem } from '../store.ts';
import { garbageImages, garbageLayers, orphanImages } from './garbage.ts';
import { planGc } from './plan.ts';
import { type RemoveOptions, removeImage } from './remove-image.ts';
import { removeOrphan } from './remove-orphan.ts';
import { chooseOverCap, type OverCap, sizeCap } from './size-cap.ts';
import { type OnRemoved, sweepLayer } from './sweep-layers.ts';

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
  return await collected(options, (onRemoved) => collectGarbage(context, { ...options, before, onRemoved }));
}

/** Gives back all that is removed, each of which is passed on when it is gone: what comes after it may fail. */
export async function collected(
  { onRemoved }: RemovalOptions,
  remove: (onRemoved: OnRemoved) => Promise<void>,
): Promise<readonly RemovedItem[]> {
  const removed: RemovedItem[] = [];
  await remove((item) => {
    removed.push(item);
    onRemoved?.(item);
  });
  return removed;
}

interface Collecting extends GcOptions {
  /** What was used later is in use. Milliseconds since the epoch. */
  readonly before: number;
  readonly onRemoved: OnRemoved;
}

async function collectGarbage(context: StoreContext, options: Collecting): Promise<void> {
  const { before, onRemoved } = options;
  const { database } = context;
  await sweepAbandoned(context, onRemoved);
  const expired = await withReserve(context, () => database.transaction((sql) => garbageImages(context, sql, before)));
  for (const id of expired) {
    options.signal?.throwIfAborted();
    await removeUnlessUsed(context, id, { usedBefore: before, onRemoved });
  }
  const over = await overCap(context, options.maxBytes);
  await sweepLayers(context, over.layers, options);
  for (const { id, lastUsedAt } of over.images) {
    options.signal?.throwIfAborted();
    // Used again since: it is no longer the one that was used longest ago.
    await removeUnlessUsed(context, id, { usedBefore: lastUsedAt, onRemoved });
  }
  const orphans = database.read((sql) => orphanImages(context, sql));
  for (const id of new Set([...orphans, ...markedRemovals(context.layout)])) {
    await removeOrphan(context, id, onRemoved);
  }
  const layers = database.read((sql) => garbageLayers(context, sql, before));
  await sweepLayers(context, layers, options);
  await sweepLocks(context);
  await keepReserve(context);
}

async function overCap(context: StoreContext, maxBytes: number | undefined): Promise<OverCap> {
  const cap = await sizeCap(context, maxBytes);
  return cap === undefined ? { layers: [], images: [] } : context.database.rehearse((sql) => chooseOverCap(sql, cap));
}

async function sweepLayers(
  context: StoreContext,
  diffIds: readonly string[],
  { signal, onRemoved }: Collecting,
): Promise<void> {
  for (const diffId of diffIds) {
    signal?.throwIfAborted();
    await sweepLayer(context, diffId, onRemoved);
  }
}

async function sweepAbandoned(context: StoreContext, onRemoved: OnRemoved): Promise<void> {
  for (const path of abandonedTemporaries(context)) {
    context.step(`remove ${path}`);
    try {
      const size = await removeTree(path);
      if (size !== undefined) onRemoved({ kind: 'temporary', id: basename(path), size });
    } catch (error) {
      throw toStoreError(error, 'cannot remove a leftover', path);
    }
  }
}

/** Since it was chosen the image may have been leased, used or removed. */
async function removeUnlessUsed(context: StoreContext, id: ImageId, options: RemoveOptions): Promise<void> {
  try {
    await removeImage(context, id, options);
  } catch (error) {
    const code = isStoreError(error) ? error.code : undefined;
    if (code === 'ERR_RKT_STORE_IMAGE_IN_USE' || code === 'ERR_RKT_STORE_IMAGE_NOT_FOUND') return;
    throw error;
  }
}

/** Lock files of processes that were killed. Taking and releasing one removes it. */
async function sweepLocks(context: StoreContext): Promise<void> {
  for (const name of readdirSync(context.layout.locks)) {
    if (!/^(layer-|image-|database$)/.test(name)) continue;
    const lock = await tryLock(join(context.layout.locks, name));
    lock?.release();
  }
}
