// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { directoryTree, erofsTree, imageDirectory } from '../cas/layout.ts';
import { abandonedTemporaries } from '../cas/temporary.ts';
import { bytesOf } from '../cas/visit-files.ts';
import type { StoreContext } from '../context.ts';
import { deleteImage, findImage } from '../records/images.ts';
import { deleteUnusedLayer, findLayer, unusedLayers } from '../records/layers.ts';
import type { RemovedItem } from '../store.ts';
import { garbageImages, garbageLayers, orphanImages } from './garbage.ts';
import { chooseOverCap, type SizeCap } from './size-cap.ts';
import { layerBytes } from './sizes.ts';

/** What a collection would remove: everything is decided in a transaction that is rolled back. */
export async function planGc(
  context: StoreContext,
  { before, cap }: { readonly before: number; readonly cap: SizeCap | undefined },
): Promise<readonly RemovedItem[]> {
  const { database, layout } = context;
  const { images, layers } = database.rehearse((sql) => {
    const expired = garbageImages(context, sql, before);
    const freed = new Set(expired.flatMap((id) => findImage(sql, id)?.layers ?? []));
    for (const id of expired) deleteImage(sql, id);
    // The layers of a removed image go with it, however young they are.
    const orphaned = unusedLayers(sql, Number.MAX_SAFE_INTEGER).filter((diffId) => freed.has(diffId));
    for (const diffId of orphaned) deleteUnusedLayer(sql, diffId);
    const over = cap === undefined ? { layers: [], images: [] } : chooseOverCap(sql, cap);
    const capped = over.images.flatMap(({ layers }) => layers).filter((diffId) => !findLayer(sql, diffId));
    return {
      images: new Set([...expired, ...over.images.map(({ id }) => id), ...orphanImages(context, sql)]),
      layers: new Set([...orphaned, ...over.layers, ...capped, ...garbageLayers(context, sql, before)]),
    };
  });
  const plan: RemovedItem[] = [];
  const add = (kind: RemovedItem['kind'], id: string, size: number | undefined): void => {
    if (size !== undefined) plan.push({ kind, id, size });
  };
  for (const path of abandonedTemporaries(context)) add('temporary', basename(path), await bytesOf(path));
  for (const id of images) {
    for (const path of treePaths(context, id)) add('tree', id, await bytesOf(path));
    add('image', id, await bytesOf(imageDirectory(layout, id)));
  }
  for (const diffId of layers) add('layer', diffId, await layerBytes(layout, diffId));
  return plan;
}

function treePaths({ layout }: StoreContext, id: ImageId): readonly string[] {
  return [erofsTree(layout, id), directoryTree(layout, id)];
}
