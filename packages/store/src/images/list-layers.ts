// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import { layerTar } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { findImage } from '../records/images.ts';
import { findLayer } from '../records/layers.ts';
import type { StoredLayer } from '../store.ts';
import { imageNotFound } from './not-found.ts';

/** See {@link Store.listLayers}. @throws IMAGE_NOT_FOUND */
export function listLayers(context: StoreContext, id: ImageId): readonly StoredLayer[] {
  return context.database.read((sql) => {
    const record = findImage(sql, id);
    if (record === undefined) throw imageNotFound(id);
    return record.layers.map((diffId) => ({
      diffId,
      size: findLayer(sql, diffId)?.size ?? 0,
      path: layerTar(context.layout, diffId),
    }));
  });
}
