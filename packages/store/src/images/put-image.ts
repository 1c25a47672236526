// SPDX-License-Identifier: Apache-2.0

import type { ImageId } from '@rkt/appc';
import { deleteHolds, uncountHolds } from '../cas/holds.ts';
import { imageDirectory, imageLock, isDiffId, isFullImageId } from '../cas/layout.ts';
import { acquireLock } from '../cas/locks.ts';
import { forgetRemoval } from '../cas/removal-mark.ts';
import { tidyUp } from '../cas/tidy-up.ts';
import { removeTree } from '../cas/visit-files.ts';
import { requireWritable, type StoreContext } from '../context.ts';
import { isStoreError, printable, StoreError } from '../errors.ts';
import type { Sql } from '../records/database.ts';
import { findImage, upsertImage } from '../records/images.ts';
import { findLayer } from '../records/layers.ts';
import { upsertRemote } from '../records/remotes.ts';
import type { ImageRecord, PutImageOptions } from '../store.ts';
import {
  configDigest,
  type ImageFile,
  readConfig,
  readImageFile,
  readManifest,
  writeImageFiles,
} from './image-files.ts';
import { imageNotFound } from './not-found.ts';
import { labelsOf } from './stored-manifest.ts';

const LONGEST_NAME = 1024;
const LARGEST_MANIFEST_BYTES = 4 * 1024 * 1024;
const LARGEST_CONFIG_BYTES = 8 * 1024 * 1024;

/**
 * Files first, then one transaction: an image is visible only when everything of it is durable. An image that is
 * there already keeps its layers and gains a name.
 *
 * @throws LAYER_MISSING, DISK_FULL, PERMISSION, BUSY
 */
export async function putImage(context: StoreContext, options: PutImageOptions): Promise<ImageRecord> {
  options.signal?.throwIfAborted();
  requireWritable(context, 'add an image');
  checkOptions(options);
  const labels = await labelsOf(options.manifestBytes);
  context.database.read((sql) => requireLayers(sql, options));
  await using _lock = await acquireLock(imageLock(context.layout, options.id), options);
  // One time for the files and the database, which is made from them again when it is lost.
  const at = context.now();
  try {
    await forgetRemoval(context, options.id);
    await writeFiles(context, options, at);
    return recordImage(context, { ...options, labels, at });
  } catch (error) {
    await tidyUp(() => withdrawFiles(context, options));
    throw error;
  }
}

interface RecordedImage extends PutImageOptions {
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

function recordImage(context: StoreContext, options: RecordedImage): ImageRecord {
  const record = context.database.transaction((sql) => {
    requireLayers(sql, options);
    upsertImage(sql, { ...options, names: namesOf(options), acis: options.acis ?? [] });
    if (options.remote !== undefined) upsertRemote(sql, { ...options.remote, imageId: options.id });
    deleteHolds(context, sql, options.layers);
    return findImage(sql, options.id);
  });
  if (record === undefined) throw imageNotFound(options.id);
  uncountHolds(context, options.layers);
  return record;
}

/** A full disk leaves the store as it was. An image that was there before keeps its files. */
async function withdrawFiles(context: StoreContext, { id }: PutImageOptions): Promise<void> {
  if (context.database.read((sql) => findImage(sql, id)) !== undefined) return;
  await removeTree(imageDirectory(context.layout, id));
}

/** Each once; the name it is to be called by last. */
function namesOf({ name, otherNames = [] }: PutImageOptions): readonly string[] {
  return [...new Set(otherNames.filter((other) => other !== name)), name];
}

function checkOptions(options: PutImageOptions): void {
  for (const name of namesOf(options)) checkName(name);
  checkContent(options);
}

function checkName(name: string): void {
  if (name.length > 0 && name.length <= LONGEST_NAME) return;
  throw new RangeError(`image name: expected 1 to ${LONGEST_NAME} characters, got ${name.length}`);
}

function checkContent({ id, layers, size, manifestBytes, configBytes }: PutImageOptions): void {
  if (!isFullImageId(id)) throw new TypeError(`image ID: expected sha512- and 128 hex digits, got ${printable(id)}`);
  const diffId = layers.find((layer) => !isDiffId(layer));
  if (diffId !== undefined) throw new TypeError(`diffID: expected sha256: and 64 hex digits, got ${printable(diffId)}`);
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`image size: expected bytes, got ${size}`);
  if (manifestBytes.length > LARGEST_MANIFEST_BYTES) {
    throw new RangeError(
      `image manifest: expected at most ${LARGEST_MANIFEST_BYTES} bytes, got ${manifestBytes.length}`,
    );
  }
  if (configBytes !== undefined && configBytes.length > LARGEST_CONFIG_BYTES) {
    throw new RangeError(
      `image configuration: expected at most ${LARGEST_CONFIG_BYTES} bytes, got ${configBytes.length}`,
    );
  }
}

function requireLayers(sql: Sql, { id, layers }: PutImageOptions): void {
  const missing = layers.find((diffId) => findLayer(sql, diffId)?.damaged !== false);
  if (missing === undefined) return;
  throw new StoreError('ERR_RKT_STORE_LAYER_MISSING', `image ${id} needs layer ${missing}, which is not in the store`, {
    subject: missing,
  });
}

/** The record as it stands in the file, unless that is damaged. */
async function intactRecord({ layout }: StoreContext, id: ImageId): Promise<ImageFile | undefined> {
  return await unlessCorrupt(() => readImageFile(layout, id));
}

/** Whether the files are there and say what is to be put. */
async function hasDocuments(
  { layout }: StoreContext,
  { id, manifestBytes, configBytes }: PutImageOptions,
  record: ImageFile,
): Promise<boolean> {
  const manifest = await unlessCorrupt(() => readManifest(layout, id));
  if (manifest === undefined || Buffer.compare(manifest, manifestBytes) !== 0) return false;
  if (configBytes === undefined) return true;
  const digest = configDigest(configBytes);
  return record.config === digest && (await unlessCorrupt(() => readConfig(layout, id, digest))) !== undefined;
}

async function unlessCorrupt<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isStoreError(error) && error.code === 'ERR_RKT_STORE_CORRUPT') return undefined;
    throw error;
  }
}

/**
 * Nothing is written when the files say all of it already: putting the same image again costs one transaction. What was
 * damaged meanwhile is written anew.
 */
async function writeFiles(context: StoreContext, options: PutImageOptions, at: number): Promise<void> {
  const { id, layers, acis = [], size, manifestBytes, configBytes } = options;
  const recorded = context.database.read((sql) => findImage(sql, id));
  const intact = recorded && (await intactRecord(context, id));
  const put = namesOf(options);
  if (intact !== undefined && endsWith(intact.names, put) && (await hasDocuments(context, options, intact))) return;
  const old: ImageFile | undefined = intact ?? (recorded && { ...recorded, names: [recorded.name] });
  const config = configBytes === undefined ? old?.config : configDigest(configBytes);
  const record = {
    names: [...(old?.names ?? []).filter((known) => !put.includes(known)), ...put],
    layers: old?.layers ?? layers,
    acis: old?.acis ?? acis,
    size,
    importedAt: old?.importedAt ?? at,
    ...(config === undefined ? {} : { config }),
  };
  await writeImageFiles(context, id, { record, manifestBytes, configBytes });
}

function endsWith(known: readonly string[], put: readonly string[]): boolean {
  const last = known.slice(-put.length);
  return last.length === put.length && put.every((name, at) => name === last[at]);
}
