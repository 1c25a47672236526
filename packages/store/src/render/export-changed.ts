// SPDX-License-Identifier: Apache-2.0
import type { ImageId } from '@rkt/appc';
import { layerTar } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import { openLease } from '../leases/leases.ts';
import type { ExportChangedOptions } from '../store.ts';
import { readUpper } from '../trees/overlay/read-upper.ts';
import { openUpperReader } from '../trees/overlay/upper-reader.ts';
import { requireSoundLayers } from '../verify/sound-layers.ts';
import { joinSegments, type LayerReader, layerReader } from './join-segments.ts';
import { loadTree } from './load-tree.ts';
import { requireFetchable } from './require-fetchable.ts';

/**
 * See {@link Store.exportChanged}.
 *
 * @throws IMAGE_NOT_FOUND, LAYER_MISSING, CORRUPT, TREE_UNSUPPORTED, PERMISSION, IO
 */
export async function* exportChanged(
  context: StoreContext,
  id: ImageId,
  { manifestBytes, upperDir, users, signal }: ExportChangedOptions,
): AsyncIterable<Uint8Array> {
  await using lease = openLease(context);
  await lease.retain(id);
  const { layers, root } = await loadTree(context, id);
  const diffIds = layers.map(({ diffId }) => diffId);
  const upper = await readUpper(upperDir, { layer: layers.length, users, signal }).catch((error: unknown) => {
    throw toStoreError(error, 'cannot read what the pod wrote', upperDir);
  });
  const { aciSegments, overlayTree } = await import('@rkt/appc');
  const tree = { layers: { length: layers.length + 1 }, root: overlayTree(root, upper.root) };
  await requireFetchable(aciSegments(tree, manifestBytes), { signal });
  await requireSoundLayers(context, diffIds, { ...(signal && { signal }) });
  using changes = openUpperReader(upperDir, upper.files);
  await using below = layerReader(diffIds.map((diffId) => layerTar(context.layout, diffId)));
  const reader: Pick<LayerReader, 'read'> = {
    read: async (target, layer, offset) =>
      layer === layers.length ? changes.read(target, offset) : await below.read(target, layer, offset),
  };
  for await (const chunk of joinSegments(aciSegments(tree, manifestBytes), reader)) {
    signal?.throwIfAborted();
    yield chunk;
  }
}
