// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { layerIndex, layerLock, layerTar } from '../cas/layout.ts';
import { tryLock } from '../cas/locks.ts';
import { withReserve } from '../cas/reserve.ts';
import type { StoreContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import { deleteUnusedLayer, findLayer } from '../records/layers.ts';
import type { RemovedItem } from '../store.ts';
import { layerBytes } from './sizes.ts';

/**
 * Removes a layer unless something uses it. Row first, under the layer's lock: whoever finds no row waits for the
 * lock and writes the layer anew, and whoever found one before has a hold that stops us.
 *
 * @returns undefined when the layer stays
 */
export async function sweepLayer(context: StoreContext, diffId: string): Promise<RemovedItem | undefined> {
  const { layout, database } = context;
  await using lock = await tryLock(layerLock(layout, diffId));
  // Taken: somebody is writing this very layer.
  if (lock === undefined) return undefined;
  const isUnused = await withReserve(context, () =>
    database.transaction((sql) => deleteUnusedLayer(sql, diffId) || findLayer(sql, diffId) === undefined),
  );
  return isUnused ? await removeLayerFiles(context, diffId) : undefined;
}

/** The tar first: an index without one is nothing, a tar without an index would look like damage. */
async function removeLayerFiles(context: StoreContext, diffId: string): Promise<RemovedItem | undefined> {
  const { layout } = context;
  const size = await layerBytes(layout, diffId);
  if (size === undefined) return undefined;
  for (const path of [layerTar(layout, diffId), layerIndex(layout, diffId)]) {
    try {
      context.step(`remove ${path}`);
      await rm(path, { force: true });
    } catch (error) {
      throw toStoreError(error, 'cannot remove a layer', path);
    }
  }
  return { kind: 'layer', id: diffId, size };
}
