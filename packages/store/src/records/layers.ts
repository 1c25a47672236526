// SPDX-License-Identifier: Apache-2.0
import type { Sql } from './database.ts';
import { integerOf } from './row.ts';

export interface LayerRow {
  readonly size: number;
  readonly damaged: boolean;
}

export function findLayer(sql: Sql, diffId: string): LayerRow | undefined {
  const row = sql.get('SELECT size, damaged FROM layers WHERE diff_id = ?', diffId);
  return row && { size: integerOf(row, 'size'), damaged: integerOf(row, 'damaged') !== 0 };
}

/** Records a layer whose files are durable; one written anew is whole again. */
export function insertLayer(
  sql: Sql,
  layer: { readonly diffId: string; readonly size: number; readonly at: number },
): void {
  sql.run(
    `INSERT INTO layers (diff_id, size, committed_at) VALUES (?, ?, ?)
     ON CONFLICT (diff_id) DO UPDATE SET size = excluded.size, damaged = 0`,
    layer.diffId,
    layer.size,
    layer.at,
  );
}

/** Bytes of all tars. */
export function layersTotal(sql: Sql): number {
  const row = sql.get('SELECT coalesce(sum(size), 0) AS bytes FROM layers');
  return row === undefined ? 0 : integerOf(row, 'bytes');
}

export function setLayerSize(sql: Sql, diffId: string, size: number): void {
  sql.run('UPDATE layers SET size = ? WHERE diff_id = ?', size, diffId);
}

/** Says what verification found; a disk that could not read for a while may have made a whole layer look damaged. */
export function markDamaged(sql: Sql, diffId: string, damaged: boolean): void {
  sql.run('UPDATE layers SET damaged = ? WHERE diff_id = ?', damaged ? 1 : 0, diffId);
}

/** A layer no image refers to and no fetch in progress relies on. */
const UNUSED = `
  NOT EXISTS (SELECT 1 FROM image_layers WHERE image_layers.diff_id = layers.diff_id)
  AND NOT EXISTS (SELECT 1 FROM holds WHERE holds.diff_id = layers.diff_id)`;

export function unusedLayers(sql: Sql, committedBefore: number): readonly string[] {
  return sql
    .all(`SELECT diff_id FROM layers WHERE committed_at <= ? AND ${UNUSED}`, committedBefore)
    .map((row) => String(row['diff_id']));
}

/** @returns false when the layer is in use or not recorded at all */
export function deleteUnusedLayer(sql: Sql, diffId: string): boolean {
  return sql.run(`DELETE FROM layers WHERE diff_id = ? AND ${UNUSED}`, diffId) > 0;
}
