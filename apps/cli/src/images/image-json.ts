// SPDX-License-Identifier: Apache-2.0
import type { ImageManifest } from '@rkt/appc';
import { nanoseconds } from '../render/time.ts';
import { platformText } from './image-platform.ts';
import type { OpenedImage } from './open-stored-image.ts';

/** An image of the store as `image inspect` prints it. */
export async function imageJson({ store, image }: OpenedImage): Promise<object> {
  const { id, names, size, importedAt, lastUsedAt } = image;
  const { manifest } = await store.getImage(id);
  const layers = await store.listLayers(id);
  return {
    id,
    names,
    platform: platformText(image),
    digest: annotation(manifest, 'manifesthash'),
    config_digest: annotation(manifest, 'imageid'),
    size,
    import_time: nanoseconds(importedAt),
    last_used_time: nanoseconds(lastUsedAt),
    layers: layers.map((layer) => ({ diff_id: layer.diffId, size: layer.size })),
    manifest,
  };
}

/** Of the image in its registry; left out for what was not converted. */
function annotation({ annotations }: ImageManifest, name: string): string | undefined {
  return annotations?.find((each) => each.name === `appc.io/docker/${name}`)?.value;
}
