// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { deleteDeadHolds } from '../cas/holds.ts';
import { layersOnDisk } from '../cas/layers-on-disk.ts';
import { isFullImageId } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { deleteDeadLeases } from '../leases/leases.ts';
import type { Sql } from '../records/database.ts';
import { expiredImages, findImage } from '../records/images.ts';
import { findLayer, unusedLayers } from '../records/layers.ts';

/** Images nothing retains that were last used before; leases and holds of the dead go on the way. In a transaction. */
export function garbageImages(context: StoreContext, sql: Sql, before: number): readonly ImageId[] {
  deleteDeadLeases(sql);
  deleteDeadHolds(context, sql);
  return expiredImages(sql, before);
}

/** Images that have files but no row: a crash came between the two. */
export function orphanImages(context: StoreContext, sql: Sql): readonly ImageId[] {
  const { layout } = context;
  const names = [...readdirSync(layout.images), ...readdirSync(layout.trees)].map((name) => basename(name, '.erofs'));
  return [...new Set(names)].filter(isFullImageId).filter((id) => findImage(sql, id) === undefined);
}

/** Recorded layers nothing uses, and files of layers that were never recorded. */
export function garbageLayers(context: StoreContext, sql: Sql, before: number): readonly string[] {
  const unrecorded = [...layersOnDisk(context.layout)].filter((diffId) => findLayer(sql, diffId) === undefined);
  return [...unusedLayers(sql, before), ...unrecorded];
}
