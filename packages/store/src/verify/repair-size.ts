// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { layerTar } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { isNotFound, toStoreError } from '../errors.ts';
import { findLayer, setLayerSize } from '../records/layers.ts';

/** Puts the size of a layer's tar, which is known to be right, in place of another one that the database has. */
export function repairSize({ database, layout, readOnly }: StoreContext, diffId: string): void {
  const row = readOnly ? undefined : database.read((sql) => findLayer(sql, diffId));
  const size = sizeOf(layerTar(layout, diffId));
  if (row === undefined || size === undefined || row.size === size) return;
  database.transaction((sql) => setLayerSize(sql, diffId, size));
}

/** Undefined for a layer that somebody has removed since it was read. */
function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toStoreError(error, 'cannot look at a layer', path);
  }
}
