// SPDX-License-Identifier: Apache-2.0
import type { ImageId, ImageManifest } from '@rkt/appc';
import type { StoreContext } from '../context.ts';
import { StoreError } from '../errors.ts';
import { findImage } from '../records/images.ts';
import type { StoredImage } from '../store.ts';
import { readConfig, readImageFile, readManifest } from './image-files.ts';
import { imageNotFound } from './not-found.ts';

/** See {@link Store.getImage}. @throws IMAGE_NOT_FOUND, CORRUPT */
export async function getImage(context: StoreContext, id: ImageId): Promise<StoredImage> {
  const record = context.database.read((sql) => findImage(sql, id));
  if (record === undefined) throw imageNotFound(id);
  const manifestBytes = await readManifest(context.layout, id);
  return { ...record, manifest: await parseStored(id, manifestBytes), manifestBytes };
}

/** See {@link Store.getConfig}. @throws IMAGE_NOT_FOUND, CORRUPT */
export async function getConfig(context: StoreContext, id: ImageId): Promise<Uint8Array | undefined> {
  if (context.database.read((sql) => findImage(sql, id)) === undefined) throw imageNotFound(id);
  const digest = (await readImageFile(context.layout, id))?.config;
  return digest === undefined ? undefined : await readConfig(context.layout, id, digest);
}

/** Labels by name, as images are looked up with. @throws AppcError when the bytes are not an image manifest */
export async function labelsOf(manifestBytes: Uint8Array): Promise<Readonly<Record<string, string>>> {
  const { parseImageManifest } = await import('@rkt/appc');
  const labels = parseImageManifest(manifestBytes).labels ?? [];
  return Object.fromEntries(labels.map(({ name, value }) => [name, value]));
}

/** What was a manifest when it was put must still be one. */
async function parseStored(id: ImageId, bytes: Uint8Array): Promise<ImageManifest> {
  const { parseImageManifest } = await import('@rkt/appc');
  try {
    return parseImageManifest(bytes);
  } catch (error) {
    throw new StoreError('ERR_RKT_STORE_CORRUPT', `the manifest of ${id} is damaged`, { subject: id, cause: error });
  }
}
