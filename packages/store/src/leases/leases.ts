// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { releaseQuietly, type StoreContext } from '../context.ts';
import { isNotFound } from '../errors.ts';
import { isOwnerAlive } from '../host/owner.ts';
import { randomUuid } from '../host/random-uuid.ts';
import { imageNotFound } from '../images/not-found.ts';
import type { Sql } from '../records/database.ts';
import { findImage } from '../records/images.ts';
import { textOf, textsOf } from '../records/row.ts';
import type { Lease } from '../store.ts';

/** A lease as the store that gave it knows it. */
export interface HeldLease extends Lease {
  retains(image: ImageId): boolean;
}

/**
 * A lease of this process. It is written down with the first image it retains. In a store open read-only it cannot be,
 * and protects nothing.
 */
export function openLease(context: StoreContext): HeldLease {
  const id = randomUuid();
  let binding: Binding = { paths: [], durable: false };
  const retained = new Set<ImageId>();
  return {
    id,
    retains: (image) => retained.has(image),
    retain: async (image) => {
      if (retained.has(image)) return;
      if (context.readOnly) requireImage(context, image);
      else record(context, { id, binding, image });
      retained.add(image);
    },
    bind: async (paths, { durable = true } = {}) => {
      // Whoever collects garbage later may be working in another directory.
      binding = { paths: [paths].flat().map((path) => resolve(path)), durable };
      if (retained.size > 0 && !context.readOnly) recordBinding(context, id, binding);
    },
    [Symbol.asyncDispose]: async () => {
      if (retained.size === 0) return;
      retained.clear();
      if (!context.readOnly) release(context, id, binding);
    },
  };
}

interface Binding {
  readonly paths: readonly string[];
  /** A lease that ends with its process ends with the machine, too. */
  readonly durable: boolean;
}

/** Deletes leases nobody stands behind any more. To be called in a transaction. */
export function deleteDeadLeases(sql: Sql): void {
  for (const row of sql.all('SELECT id, owner, bound_to FROM leases')) {
    if (isOwnerAlive(textOf(row, 'owner')) || anyExists(textsOf(row, 'bound_to'))) continue;
    sql.run('DELETE FROM leases WHERE id = ?', textOf(row, 'id'));
  }
}

/** For every recorded lease that retains the image the paths it is bound to that exist; none for one of a process. */
export function leasesOf(sql: Sql, image: ImageId): readonly (readonly string[])[] {
  const query = 'SELECT bound_to FROM leases JOIN lease_images ON lease_id = id WHERE image_id = ?';
  return sql.all(query, image).map((row) => textsOf(row, 'bound_to').filter(mayExist));
}

function requireImage(context: StoreContext, image: ImageId): void {
  if (context.database.read((sql) => findImage(sql, image)) === undefined) throw imageNotFound(image);
}

interface Retention {
  readonly id: string;
  readonly binding: Binding;
  readonly image: ImageId;
}

function record(context: StoreContext, { id, binding, image }: Retention): void {
  const insert = (sql: Sql): void => {
    if (findImage(sql, image) === undefined) throw imageNotFound(image);
    sql.run(
      'INSERT INTO leases (id, owner, bound_to) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
      id,
      context.owner,
      JSON.stringify(binding.paths),
    );
    sql.run('INSERT INTO lease_images (lease_id, image_id) VALUES (?, ?)', id, image);
  };
  context.database.transaction(insert, binding);
}

function recordBinding(context: StoreContext, id: string, binding: Binding): void {
  const update = (sql: Sql): void => {
    sql.run('UPDATE leases SET bound_to = ? WHERE id = ?', JSON.stringify(binding.paths), id);
  };
  context.database.transaction(update, binding);
}

/** What a lease is bound to keeps it when its process is done with it. */
function release(context: StoreContext, id: string, { paths }: Binding): void {
  releaseQuietly(context, (sql) => {
    if (anyExists(paths)) sql.run("UPDATE leases SET owner = '' WHERE id = ?", id);
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
