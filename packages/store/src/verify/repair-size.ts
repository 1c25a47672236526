// SPDX-License-Identifier: Apache-2.0
import type { StoreContext } from '../context.ts';
import { findLayer, setLayerSize } from '../records/layers.ts';

/** Puts the size of a layer's tar, as it was when its bytes were hashed, in place of another one that the database has. */
export function repairSize(
  { database, readOnly }: StoreContext,
  { diffId, size }: { readonly diffId: string; readonly size: number },
): void {
  const row = readOnly ? undefined : database.read((sql) => findLayer(sql, diffId));
  if (row === undefined || row.size === size) return;
  database.transaction((sql) => setLayerSize(sql, diffId, size));
}
