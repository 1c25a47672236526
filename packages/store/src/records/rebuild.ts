// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageId } from '@rkt/appc';
import { moveIntoPlace } from '../cas/atomic-write.ts';
import { imageDirectory, imageLock, isFullImageId, type Layout, layerIndex, layerTar } from '../cas/layout.ts';
import { acquireLock } from '../cas/locks.ts';
import { isRemoved } from '../cas/removal-mark.ts';
import { temporaryPath } from '../cas/temporary.ts';
import type { FileContext } from '../context.ts';
import { isStoreError } from '../errors.ts';
import { type ImageFile, readImageFile, readManifest } from '../images/image-files.ts';
import { labelsOf } from '../images/stored-manifest.ts';
import { type Database, openDatabase, suspicionFile } from './database.ts';
import { upsertImage } from './images.ts';
import { findLayer, insertLayer } from './layers.ts';

/** What happened while a store was opened. */
export interface StoreEvent {
  readonly type: 'store:database:rebuilt';
  readonly reason: 'missing' | 'damaged';
  /** How many images are in the new database. */
  readonly images: number;
  /** Images whose files or layers were no longer whole: they are not in it. */
  readonly skipped: readonly string[];
}

export interface RebuildOptions {
  readonly now: () => number;
  readonly onEvent?: ((event: StoreEvent) => void) | undefined;
}

/**
 * Opens the database; one that is missing although there are images, or is damaged, is made again from `cas/images`
 * and `cas/layers`. What only the database knew is lost: leases, remotes, times of use (all count as used now).
 *
 * @throws NEWER_FORMAT, BUSY, DISK_FULL, PERMISSION, IO
 */
export async function openOrRebuild(context: FileContext, options: RebuildOptions): Promise<Database> {
  const opened = await tryOpen(context);
  if (typeof opened !== 'string') return opened;
  await using _lock = await acquireLock(join(context.layout.locks, 'database'));
  // Another process may have rebuilt it while we waited.
  const again = await tryOpen(context);
  if (typeof again !== 'string') return again;
  await rebuild(context, again, options);
  return await openDatabase(context.layout.database, { readOnly: false, mode: context.modes.file, step: context.step });
}

async function tryOpen(context: FileContext): Promise<Database | StoreEvent['reason']> {
  const { layout, modes, step } = context;
  if (!hasContent(layout.database) && readdirSync(layout.images).length > 0) return 'missing';
  let database: Database | undefined;
  try {
    database = await openDatabase(layout.database, { readOnly: false, mode: modes.file, step });
    if (!existsSync(suspicionFile(layout.database)) || isCleared(database, layout)) return database;
  } catch (error) {
    database?.close();
    if (isStoreError(error) && error.code === 'ERR_RKT_STORE_CORRUPT') return 'damaged';
    throw error;
  }
  database.close();
  return 'damaged';
}

function isCleared(database: Database, layout: Layout): boolean {
  if (!database.isSound()) return false;
  rmSync(suspicionFile(layout.database), { force: true });
  return true;
}

function hasContent(path: string): boolean {
  return existsSync(path) && statSync(path).size > 0;
}

async function rebuild(context: FileContext, reason: StoreEvent['reason'], options: RebuildOptions): Promise<void> {
  const path = temporaryPath(context, 'db');
  try {
    // Where there are none, the next to open the store would not see that the database is missing: it stays until it is replaced.
    if (readdirSync(context.layout.images).length > 0) await setAside(context);
    const images = await readImages(context);
    const skipped = new Set([...images.skipped, ...(await fill(context, path, { images, at: options.now() }))]);
    await replaceDatabase(context, path);
    options.onEvent?.({
      type: 'store:database:rebuilt',
      reason,
      images: images.found.length + images.skipped.length - skipped.size,
      skipped: [...skipped],
    });
  } finally {
    // Of one that was put into place nothing is left but what SQLite made beside it.
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  }
}

interface Content {
  readonly images: FoundImages;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Makes a database of what is on the disk. Which layers were found damaged is not known any more; none is read here, which would
 * take minutes. Those of images are recorded as they are: whoever exports or verifies an image reads them. All others are read
 * before they are used, and so are not recorded.
 *
 * @returns images that a layer is missing of: they are not in it
 */
async function fill(context: FileContext, path: string, { images, at }: Content): Promise<readonly string[]> {
  const { layout, modes, step } = context;
  const skipped: string[] = [];
  const database = await openDatabase(path, { readOnly: false, mode: modes.file, step });
  try {
    database.transaction((sql) => {
      for (const { id, file, labels } of images.found) {
        if (!file.layers.every((diffId) => isOnDisk(layout, diffId))) {
          skipped.push(id);
          continue;
        }
        for (const diffId of new Set(file.layers)) {
          if (findLayer(sql, diffId) !== undefined) continue;
          insertLayer(sql, { diffId, size: statSync(layerTar(layout, diffId)).size, at });
        }
        // When names were put is not known any more, but in which order is: for one image, and else by time of import.
        for (const [position, name] of file.names.entries()) {
          upsertImage(sql, { ...file, id, names: [name], labels, at: file.importedAt + position });
        }
        sql.run('UPDATE images SET imported_at = ?, last_used_at = ? WHERE id = ?', file.importedAt, at, id);
      }
    });
  } finally {
    database.close();
  }
  return skipped;
}

function isOnDisk(layout: Layout, diffId: string): boolean {
  return existsSync(layerTar(layout, diffId)) && existsSync(layerIndex(layout, diffId));
}

interface FoundImage {
  readonly id: ImageId;
  readonly file: ImageFile;
  readonly labels: Readonly<Record<string, string>>;
}

interface FoundImages {
  readonly found: readonly FoundImage[];
  /** IDs of images whose files are not whole. */
  readonly skipped: readonly string[];
}

async function readImages(context: FileContext): Promise<FoundImages> {
  const found: FoundImage[] = [];
  const skipped: string[] = [];
  for (const id of readdirSync(context.layout.images).filter(isFullImageId)) {
    // Whoever had deleted its row may still be removing its files, which would come back with it.
    await using _lock = await acquireLock(imageLock(context.layout, id));
    // Nor does what was removed, though somebody was stopped before its files were gone.
    if (!existsSync(imageDirectory(context.layout, id)) || isRemoved(context.layout, id)) continue;
    const image = await readImage(context, id);
    if (image === undefined) skipped.push(id);
    else found.push(image);
  }
  return { found, skipped };
}

/** One damaged image must not keep the others from being found. */
async function readImage({ layout }: FileContext, id: ImageId): Promise<FoundImage | undefined> {
  try {
    const file = await readImageFile(layout, id);
    if (file === undefined) return undefined;
    return { id, file, labels: await labelsOf(await readManifest(layout, id)) };
  } catch (error) {
    if (isStoreError(error) && error.code !== 'ERR_RKT_STORE_CORRUPT') throw error;
    return undefined;
  }
}

/**
 * The damaged database is kept beside the new one, once, for whoever wants to look at it. From here on no transaction passes of
 * those who have it open: nothing is put or removed that the new one would not know of.
 */
async function setAside({ layout, step }: FileContext): Promise<void> {
  if (!existsSync(layout.database)) return;
  step(`rename ${layout.database}.damaged`);
  await rename(layout.database, `${layout.database}.damaged`);
}

async function replaceDatabase(context: FileContext, path: string): Promise<void> {
  const { database } = context.layout;
  await setAside(context);
  for (const suffix of ['-wal', '-shm', '.suspect']) await rm(`${database}${suffix}`, { force: true });
  await moveIntoPlace(context, [{ source: path, target: database }]);
}
