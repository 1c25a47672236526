// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { damagedLayer, missingLayer, noteDamage } from '../cas/damaged-layer.ts';
import { layerIndex, layerTar } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { StoreError, toStoreError } from '../errors.ts';
import { findLayer } from '../records/layers.ts';
import type { AbortOptions } from '../store.ts';
import type { LayerState } from './hash-layer.ts';
import { createHashing } from './hashing.ts';

/**
 * Whether layers and their indexes are what was stored, before files are taken out of them: of what is read in pieces no
 * hash comes out at the end. One pass on all cores, which also leaves the layers in the page cache for the one that follows.
 *
 * @throws LAYER_MISSING, CORRUPT for the first that is not; IO, PERMISSION
 */
export async function requireSoundLayers(
  context: StoreContext,
  layers: readonly string[],
  { signal }: AbortOptions,
): Promise<void> {
  const diffIds = [...new Set(layers)];
  const bytes = layerBytes(context, diffIds);
  await using hashing = createHashing({ startWorker: context.startWorker, bytes, signal });
  await inParallel(diffIds, hashing.width, async (diffId) => {
    const state = await hashing.run({ kind: 'layer', diffId, path: layerTar(context.layout, diffId) });
    await requireSound(context, diffId, state);
  });
}

/** Bytes of layers as they are recorded. */
export function layerBytes({ database }: StoreContext, layers: Iterable<string>): number {
  return database.read((sql) => {
    let bytes = 0;
    for (const diffId of layers) bytes += findLayer(sql, diffId)?.size ?? 0;
    return bytes;
  });
}

async function requireSound(context: StoreContext, diffId: string, state: LayerState): Promise<void> {
  if (state.kind !== 'ok') noteDamage(context, diffId, true);
  const path = layerTar(context.layout, diffId);
  if (state.kind === 'missing') throw missingLayer(diffId, path);
  if (state.kind === 'corrupt') throw damagedLayer(diffId, path, state.actual);
  if (state.index !== undefined) await requireIndex(context, diffId, state.index);
}

async function requireIndex(context: StoreContext, diffId: string, expected: Uint8Array): Promise<void> {
  const path = layerIndex(context.layout, diffId);
  try {
    if ((await readFile(path)).equals(expected)) return;
  } catch (error) {
    throw toStoreError(error, `cannot read the index of layer ${diffId}`, path);
  }
  throw new StoreError('ERR_RKT_STORE_CORRUPT', `the index of layer ${diffId} is damaged`, { path, subject: diffId });
}

/** At most `width` at a time; those that were not begun are not begun once one has failed. */
async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const lane = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
