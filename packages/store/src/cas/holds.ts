// SPDX-License-Identifier: Apache-2.0
import { releaseQuietly, type StoreContext } from '../context.ts';
import { isOwnerAlive } from '../host/owner.ts';
import type { Sql } from '../records/database.ts';
import { textOf } from '../records/row.ts';

/**
 * A fetch in progress relies on layers no image refers to yet: those it just committed, and those it found present,
 * whose last image somebody may remove meanwhile. Each is held, by a row that names the store object and its process,
 * from `prepareLayer` until `putImage` made an image refer to it, the store is closed, or the process is gone.
 * `removeImage` and `gc` delete a layer's row only where no hold exists, in one transaction with that check.
 */

/** A fetch that takes longer than this has been forgotten by a process that lives on. */
const LONGEST_HOLD_MS = 24 * 60 * 60 * 1000;

/** To be called in a transaction; {@link countHold} after it. */
export function insertHold(context: StoreContext, sql: Sql, diffId: string): void {
  sql.run(
    `INSERT INTO holds (diff_id, holder, owner, since) VALUES (?, ?, ?, ?)
     ON CONFLICT (diff_id, holder) DO UPDATE SET since = excluded.since`,
    diffId,
    context.holder,
    context.owner,
    context.now(),
  );
}

/** Several fetches of one process may rely on the same layer: the row goes with the last of them. */
export function countHold(context: StoreContext, diffId: string): void {
  context.holds.set(diffId, (context.holds.get(diffId) ?? 0) + 1);
}

/** To be called in a transaction that makes an image refer to the layers; {@link uncountHolds} after it. */
export function deleteHolds(context: StoreContext, sql: Sql, diffIds: Iterable<string>): void {
  for (const diffId of new Set(diffIds)) {
    if (context.holds.get(diffId) !== 1) continue;
    sql.run('DELETE FROM holds WHERE diff_id = ? AND holder = ?', diffId, context.holder);
  }
}

export function uncountHolds(context: StoreContext, diffIds: Iterable<string>): void {
  for (const diffId of new Set(diffIds)) {
    const count = context.holds.get(diffId) ?? 0;
    if (count > 1) context.holds.set(diffId, count - 1);
    else context.holds.delete(diffId);
  }
}

/** Gives up everything this store object holds. */
export function releaseAllHolds(context: StoreContext): void {
  if (context.holds.size === 0) return;
  releaseQuietly(context, (sql) => sql.run('DELETE FROM holds WHERE holder = ?', context.holder));
  context.holds.clear();
}

/** Deletes the holds of processes that are gone. To be called in a transaction. */
export function deleteDeadHolds(context: StoreContext, sql: Sql): void {
  sql.run('DELETE FROM holds WHERE since < ?', context.now() - LONGEST_HOLD_MS);
  for (const row of sql.all('SELECT DISTINCT owner FROM holds')) {
    const owner = textOf(row, 'owner');
    if (!isOwnerAlive(owner)) sql.run('DELETE FROM holds WHERE owner = ?', owner);
  }
}
