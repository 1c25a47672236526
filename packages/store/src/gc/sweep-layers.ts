// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { layerIndex, layerLock, layerTar } from '../cas/layout.ts';
import { type FileLock, tryLock } from '../cas/locks.ts';
import { withReserve } from '../cas/reserve.ts';
import type { StepHook, StoreContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import type { Sql } from '../records/database.ts';
import { deleteUnusedLayer, findLayer } from '../records/layers.ts';
import type { RemovedItem } from '../store.ts';
import { throwFirst } from './run-all.ts';
import { layerBytes } from './sizes.ts';

/** Layers that nobody else writes for as long as it lasts. */
export interface LockedLayers extends AsyncDisposable {
  readonly diffIds: readonly string[];
  /** Gives up all others: whoever else removes an image that has them must not find them taken. */
  keepOnly(diffIds: readonly string[]): void;
}

/** Takes the locks of those layers that nobody is writing; each diffID once. */
export async function lockLayers(context: StoreContext, diffIds: Iterable<string>): Promise<LockedLayers> {
  const locks = new Map<string, FileLock>();
  const release = (): void => {
    for (const lock of locks.values()) lock.release();
  };
  try {
    for (const diffId of new Set(diffIds)) {
      const lock = await tryLock(layerLock(context.layout, diffId));
      if (lock !== undefined) locks.set(diffId, lock);
    }
  } catch (error) {
    release();
    throw error;
  }
  return {
    diffIds: [...locks.keys()],
    keepOnly: (kept) => {
      for (const [diffId, lock] of locks) if (!kept.includes(diffId)) lock.release();
    },
    [Symbol.asyncDispose]: async () => release(),
  };
}

/**
 * Deletes the rows of those layers that nothing uses; their files are to go when the transaction is durable. Row first, under
 * the layer's lock: whoever finds no row waits for the lock and writes the layer anew, and whoever found one before has a hold
 * that stops us.
 *
 * @returns those that have no row now
 */
export function deleteUnusedRows(sql: Sql, { diffIds }: LockedLayers): readonly string[] {
  return diffIds.filter((diffId) => deleteUnusedLayer(sql, diffId) || findLayer(sql, diffId) === undefined);
}

/**
 * Removes the files of layers that have no row. To be called with their locks. All tars at once, and what `others` removes
 * meanwhile: the kernel takes longer to forget what it has cached of a large file than all else takes. Then their indexes: one
 * without a tar is nothing, a tar without one would look like damage. What fails stops nothing else, and what is removed is told
 * all the same; the first failure is thrown when all has ended.
 */
export async function removeLayerFiles(
  { layout, step }: StoreContext,
  diffIds: readonly string[],
  { onRemoved, others = async () => undefined }: RemoveFilesOptions,
): Promise<void> {
  const layers: RemovedItem[] = [];
  for (const diffId of diffIds) {
    const size = await layerBytes(layout, diffId);
    if (size !== undefined) layers.push({ kind: 'layer', id: diffId, size });
  }
  const tars = layers.map(({ id }) => removeFile(layerTar(layout, id), step));
  const outcomes = await Promise.allSettled([...tars, others()]);
  const gone = layers.filter((_, at) => outcomes[at]?.status === 'fulfilled');
  const indexes = await Promise.allSettled(gone.map(({ id }) => removeFile(layerIndex(layout, id), step)));
  for (const layer of gone) onRemoved(layer);
  throwFirst([...outcomes, ...indexes]);
}

/** Called for each thing when it is gone. */
export type OnRemoved = (item: RemovedItem) => void;

export interface RemoveFilesOptions {
  readonly onRemoved: OnRemoved;
  /** Tells by itself what it has removed. */
  readonly others?: () => Promise<void>;
}

/** Removes a layer unless something uses it. */
export async function sweepLayer(context: StoreContext, diffId: string, onRemoved: OnRemoved): Promise<void> {
  await using locked = await lockLayers(context, [diffId]);
  const unused = await withReserve(context, () => context.database.transaction((sql) => deleteUnusedRows(sql, locked)));
  await removeLayerFiles(context, unused, { onRemoved });
}

async function removeFile(path: string, step: StepHook): Promise<void> {
  try {
    step(`remove ${path}`);
    await rm(path, { force: true });
  } catch (error) {
    throw toStoreError(error, 'cannot remove a layer', path);
  }
}
