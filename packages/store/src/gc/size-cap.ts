// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import { directoryTree, erofsTree } from '../cas/layout.ts';
import { bytesOf } from '../cas/visit-files.ts';
import type { StoreContext } from '../context.ts';
import type { Sql } from '../records/database.ts';
import { allImages, deleteImage, expiredImages, findImage } from '../records/images.ts';
import { deleteUnusedLayer, findLayer, layersTotal, unusedLayers } from '../records/layers.ts';
import type { ImageRecord } from '../store.ts';

export interface SizeCap {
  readonly maxBytes: number;
  /** Bytes of the trees of each image that has any. */
  readonly trees: ReadonlyMap<ImageId, number>;
}

/** What to keep to, with what only a look at the disk can tell. */
export async function sizeCap(context: StoreContext, maxBytes: number | undefined): Promise<SizeCap | undefined> {
  if (maxBytes === undefined) return undefined;
  const trees = new Map<ImageId, number>();
  for (const { id } of context.database.read(allImages)) {
    const bytes = [await bytesOf(erofsTree(context.layout, id)), await bytesOf(directoryTree(context.layout, id))];
    trees.set(id, (bytes[0] ?? 0) + (bytes[1] ?? 0));
  }
  return { maxBytes, trees };
}

/** What must go for the store to keep to a size. */
export interface OverCap {
  /** Layers nothing uses, however young: no image goes as long as there are any. */
  readonly layers: readonly string[];
  /** Used longest ago first. */
  readonly images: readonly ImageRecord[];
}

/**
 * Chooses by deleting rows, also those of layers that go with images: to be called in a rehearsal, where leases and holds of
 * the dead are already gone.
 */
export function chooseOverCap(sql: Sql, { maxBytes, trees }: SizeCap): OverCap {
  let bytes = layersTotal(sql);
  for (const { id } of allImages(sql)) bytes += trees.get(id) ?? 0;
  if (bytes <= maxBytes) return { layers: [], images: [] };
  const layers = unusedLayers(sql, Number.MAX_SAFE_INTEGER);
  bytes -= deleteUnused(sql, layers);
  const chosen: ImageRecord[] = [];
  for (const id of expiredImages(sql, Number.MAX_SAFE_INTEGER)) {
    if (bytes <= maxBytes) break;
    const image = findImage(sql, id);
    if (image === undefined) continue;
    deleteImage(sql, id);
    bytes -= (trees.get(id) ?? 0) + deleteUnused(sql, image.layers);
    chosen.push(image);
  }
  return { layers, images: chosen };
}

/** Deletes the rows of those layers that nothing uses. @returns their bytes */
function deleteUnused(sql: Sql, diffIds: readonly string[]): number {
  let bytes = 0;
  for (const diffId of diffIds) {
    const size = findLayer(sql, diffId)?.size ?? 0;
    if (deleteUnusedLayer(sql, diffId)) bytes += size;
  }
  return bytes;
}
