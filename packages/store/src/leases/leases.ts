// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { releaseQuietly, type StoreContext } from '../context.ts';
import { isNotFound } from '../errors.ts';
import { isOwnerAlive } from '../host/owner.ts';
import { imageNotFound } from '../images/not-found.ts';
import type { Sql } from '../records/database.ts';
import { findImage } from '../records/images.ts';
import { textOf, textsOf } from '../records/row.ts';
import type { Lease, LeaseOptions } from '../store.ts';

/** A lease as the store that gave it knows it. */
export interface HeldLease extends Lease {
  retains(image: ImageId): boolean;
}

/**
 * A lease of this process. It is written down with the first image it retains: one durable transaction, not two. In
 * a store open read-only it cannot be, and protects nothing.
 */
export function openLease(context: StoreContext, options: LeaseOptions = {}): HeldLease {
  const id = randomUUID();
  // Whoever collects garbage later may be working in another directory.
  const boundTo = [options.boundTo ?? []].flat().map((path) => resolve(path));
  const retained = new Set<ImageId>();
  return {
    id,
    retains: (image) => retained.has(image),
    retain: async (image) => {
      if (retained.has(image)) return;
      if (context.readOnly) requireImage(context, image);
      else record(context, { id, boundTo, image });
      retained.add(image);
    },
    [Symbol.asyncDispose]: async () => {
      if (retained.size === 0) return;
      retained.clear();
      if (!context.readOnly) release(context, id, boundTo);
    },
  };
}

/** Deletes leases nobody stands behind any more. To be called in a transaction. */
export function deleteDeadLeases(sql: Sql): void {
  for (const row of sql.all('SELECT id, owner, bound_to FROM leases')) {
    if (isOwnerAlive(textOf(row, 'owner')) || anyExists(textsOf(row, 'bound_to'))) continue;
    sql.run('DELETE FROM leases WHERE id = ?', textOf(row, 'id'));
  }
}

/** Whether any recorded lease retains the image. */
export function isLeased(sql: Sql, image: ImageId): boolean {
  return sql.get('SELECT 1 FROM lease_images WHERE image_id = ?', image) !== undefined;
}

function requireImage(context: StoreContext, image: ImageId): void {
  if (context.database.read((sql) => findImage(sql, image)) === undefined) throw imageNotFound(image);
}

interface Retention {
  readonly id: string;
  readonly boundTo: readonly string[];
  readonly image: ImageId;
}

function record(context: StoreContext, { id, boundTo, image }: Retention): void {
  context.database.transaction((sql) => {
    if (findImage(sql, image) === undefined) throw imageNotFound(image);
    sql.run(
      'INSERT INTO leases (id, owner, bound_to) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
      id,
      context.owner,
      JSON.stringify(boundTo),
    );
    sql.run('INSERT INTO lease_images (lease_id, image_id) VALUES (?, ?)', id, image);
  });
}

/** What a lease is bound to keeps it when its process is done with it. */
function release(context: StoreContext, id: string, boundTo: readonly string[]): void {
  releaseQuietly(context, (sql) => {
    if (anyExists(boundTo)) sql.run("UPDATE leases SET owner = '' WHERE id = ?", id);
    else sql.run('DELETE FROM leases WHERE id = ?', id);
  });
}

/** In the order given: something that is renamed along the list while we look is seen, here or at its next place. */
function anyExists(paths: readonly string[]): boolean {
  return paths.some(mayExist);
}

/** What cannot be looked at may well be there: whoever collects garbage need not be allowed to see every pod. */
function mayExist(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    return !isNotFound(error);
  }
}
