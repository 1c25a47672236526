// SPDX-License-Identifier: Apache-2.0
import type { StoreContext } from '../context.ts';
import { StoreError } from '../errors.ts';
import { findLayer, markDamaged } from '../records/layers.ts';

/** `actual` is what the bytes of the layer hash to, where they can be read. */
export function damagedLayer(diffId: string, path: string, actual: string | undefined): StoreError {
  const instead = actual === undefined ? 'its bytes cannot be read' : `its bytes hash to ${actual}`;
  return new StoreError('ERR_RKT_STORE_CORRUPT', `layer ${diffId} is damaged: ${instead}`, { path, subject: diffId });
}

export function missingLayer(diffId: string, path: string): StoreError {
  return new StoreError('ERR_RKT_STORE_LAYER_MISSING', `layer ${diffId} is missing`, { path, subject: diffId });
}

/** Records whether a layer is damaged: the next fetch that wants one that is writes it anew. */
export function noteDamage(context: StoreContext, diffId: string, damaged: boolean): void {
  const { database, readOnly } = context;
  const row = readOnly ? undefined : database.read((sql) => findLayer(sql, diffId));
  if (row === undefined || row.damaged === damaged) return;
  database.transaction((sql) => markDamaged(sql, diffId, damaged));
}
