// SPDX-License-Identifier: Apache-2.0
import { isFullImageId } from '../cas/layout.ts';
import { StoreError } from '../errors.ts';
import type { RemoteRecord } from '../store.ts';
import type { Sql } from './database.ts';
import { integerOf, textOf } from './row.ts';

export function findRemote(sql: Sql, name: string): RemoteRecord | undefined {
  const row = sql.get('SELECT image_id, digest, checked_at FROM remotes WHERE name = ?', name);
  if (row === undefined) return undefined;
  const imageId = textOf(row, 'image_id');
  if (!isFullImageId(imageId)) {
    throw new StoreError('ERR_RKT_STORE_CORRUPT', `the database holds an image with the ID ${imageId.slice(0, 20)}`);
  }
  return { name, imageId, digest: textOf(row, 'digest'), checkedAt: integerOf(row, 'checked_at') };
}

/** The image must be recorded already. */
export function upsertRemote(sql: Sql, remote: RemoteRecord): void {
  sql.run(
    `INSERT INTO remotes (name, image_id, digest, checked_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET
       image_id = excluded.image_id, digest = excluded.digest, checked_at = excluded.checked_at`,
    remote.name,
    remote.imageId,
    remote.digest,
    remote.checkedAt,
  );
}
