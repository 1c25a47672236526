// SPDX-License-Identifier: Apache-2.0
import type { FileTree } from './file-tree.ts';
import { createLayerMerger, type IndexedLayer } from './layer-merger.ts';

/**
 * The root filesystem that layers make together, base layer first (OCI image spec, "Applying Changesets").
 *
 * Each layer is resolved by itself, in archive order; then whiteouts and opaque markers hide what lower layers have, a
 * non-directory hides all below its name, and directories merge with the attributes of the topmost layer that states
 * them. A name whited out and made anew in one layer keeps nothing of before. A hard link to a lower layer means the file
 * that stood there before its own layer, even if a layer removes that file's other names.
 *
 * @throws AppcError `ERR_RKT_APPC_HARDLINK`, `ERR_RKT_APPC_WHITEOUT`, `ERR_RKT_APPC_PATH`, `ERR_RKT_APPC_LIMIT`.
 */
export function mergeLayers(layers: readonly IndexedLayer[]): FileTree {
  const merger = createLayerMerger(layers.length);
  for (const layer of layers.toReversed()) merger.addLayer(layer);
  return merger.finish();
}
