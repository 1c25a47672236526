// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { FileTree, ImageId, IndexedLayer } from '@rkt/appc';
import { layerIndex } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { isNotFound, StoreError, toStoreError } from '../errors.ts';
import { imageNotFound } from '../images/not-found.ts';
import { findImage } from '../records/images.ts';

/** See {@link Store.loadTree}. @throws IMAGE_NOT_FOUND, LAYER_MISSING, CORRUPT */
export async function loadTree(context: StoreContext, id: ImageId): Promise<FileTree> {
  const record = context.database.read((sql) => findImage(sql, id));
  if (record === undefined) throw imageNotFound(id);
  const { decodeLayerIndex, mergeLayers } = await import('@rkt/appc');
  const layers: IndexedLayer[] = [];
  for (const diffId of record.layers) {
    const bytes = await readIndex(context, diffId);
    layers.push({ diffId, index: decoded(diffId, () => decodeLayerIndex(bytes)) });
  }
  return decoded(id, () => mergeLayers(layers));
}

async function readIndex(context: StoreContext, diffId: string): Promise<Uint8Array> {
  const path = layerIndex(context.layout, diffId);
  try {
    return await readFile(path);
  } catch (error) {
    if (!isNotFound(error)) throw toStoreError(error, 'cannot read a layer index', path);
    throw new StoreError('ERR_RKT_STORE_LAYER_MISSING', `the index of layer ${diffId} is missing`, {
      path,
      subject: diffId,
      cause: error,
    });
  }
}

/** The store wrote these bytes: what cannot be read of them is damage, whoever notices it. */
function decoded<T>(subject: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new StoreError('ERR_RKT_STORE_CORRUPT', `the file tree of ${subject} cannot be read`, {
      subject,
      cause: error,
    });
  }
}
