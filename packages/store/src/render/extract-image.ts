// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import { layerTar } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import { openLease } from '../leases/leases.ts';
import type { AbortOptions } from '../store.ts';
import { extractTree } from '../trees/directory/index.ts';
import { requireSoundLayers } from '../verify/sound-layers.ts';
import { loadTree } from './load-tree.ts';

export interface ExtractImageOptions extends AbortOptions {
  readonly targetDir: string;
}

/**
 * See {@link Store.extractImage}. The directory is the caller's: neither synced nor known to the store.
 *
 * @throws IMAGE_NOT_FOUND, LAYER_MISSING, CORRUPT, TREE_INVALID, TREE_UNSUPPORTED, DISK_FULL, PERMISSION, IO
 */
export async function extractImage(context: StoreContext, id: ImageId, options: ExtractImageOptions): Promise<void> {
  const { targetDir } = options;
  await using lease = openLease(context);
  await lease.retain(id);
  const tree = await loadTree(context, id);
  await requireSoundLayers(
    context,
    tree.layers.map(({ diffId }) => diffId),
    options,
  );
  const layerPaths = tree.layers.map(({ diffId }) => layerTar(context.layout, diffId));
  try {
    await extractTree(tree, { ...options, layerPaths });
  } catch (error) {
    throw toStoreError(error, 'cannot extract an image', targetDir);
  }
}
