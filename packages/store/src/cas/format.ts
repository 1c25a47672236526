// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileContext } from '../context.ts';
import { isNotFound, printable, StoreError, toStoreError } from '../errors.ts';
import { makeDirectories, writeAtomically } from './atomic-write.ts';
import { PRIVATE } from './modes.ts';
import { keepReserve } from './reserve.ts';

/** Version of the directory layout. The database has a version of its own. */
export const FORMAT_VERSION = 1;

const OURS: ReadonlySet<string> = new Set([
  'format',
  'reserve',
  'db',
  // While another process makes the database.
  'db-journal',
  'db-wal',
  'db-shm',
  'db.damaged',
  'db.suspect',
  'tree-backend',
  'tmp',
  'layers',
  'images',
  'trees',
]);

/**
 * Makes sure that the directory is a store of a format this program knows.
 *
 * @throws NOT_A_STORE, NEWER_FORMAT, PERMISSION
 */
export async function ensureFormat(context: FileContext, create: boolean): Promise<void> {
  const { layout } = context;
  const version = readFormat(layout.formatFile);
  if (version === undefined) {
    refuseForeign(layout.cas);
    if (!create) {
      throw new StoreError('ERR_RKT_STORE_NOT_A_STORE', `${layout.dir} is not a store`, { path: layout.dir });
    }
    await createStore(context);
  } else if (version > FORMAT_VERSION) {
    throw new StoreError(
      'ERR_RKT_STORE_NEWER_FORMAT',
      `the store has format ${version}, this program knows formats up to ${FORMAT_VERSION}`,
      { path: layout.dir },
    );
  }
}

function readFormat(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toStoreError(error, 'cannot read the store format', path);
  }
  if (/^[1-9]\d{0,8}\n?$/.test(text)) return Number.parseInt(text, 10);
  throw new StoreError('ERR_RKT_STORE_CORRUPT', `store format: expected a number, got ${printable(text)}`, { path });
}

/** The original rkt keeps other things under the same names; they must not be mixed. */
function refuseForeign(cas: string): void {
  if (!existsSync(cas)) return;
  const foreign = readdirSync(cas).find((name) => !OURS.has(name));
  if (foreign === undefined) return;
  throw new StoreError(
    'ERR_RKT_STORE_NOT_A_STORE',
    `${cas} holds something that is not of this store: ${printable(foreign)}`,
    { path: cas },
  );
}

/** The format file comes last: a directory that has it has everything else. */
async function createStore(context: FileContext): Promise<void> {
  const { layout } = context;
  try {
    await mkdir(layout.dir, { recursive: true, mode: PRIVATE.directory });
    await makeDirectories(context, [layout.cas, dirname(layout.layers), layout.layers, layout.images], context.modes);
    await makeDirectories(context, [layout.temporary, layout.trees, layout.locks], PRIVATE);
  } catch (error) {
    throw toStoreError(error, 'cannot create the store', layout.dir);
  }
  await keepReserve(context);
  await writeAtomically(context, layout.formatFile, [Buffer.from(`${FORMAT_VERSION}\n`)]);
}
