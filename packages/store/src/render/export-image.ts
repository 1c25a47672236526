// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { AciSegment, ImageId } from '@rkt/appc';
import { type Layout, layerTar } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { StoreError } from '../errors.ts';
import { ownAci } from '../images/aci-layers.ts';
import { readManifest } from '../images/image-files.ts';
import { imageNotFound } from '../images/not-found.ts';
import { openLease } from '../leases/leases.ts';
import { findImage } from '../records/images.ts';
import type { AbortOptions, ImageRecord } from '../store.ts';
import { joinSegments, layerReader } from './join-segments.ts';
import { treeOfLayers } from './load-tree.ts';

/**
 * The uncompressed ACI in chunks of up to 1 MiB. The last one comes only when all of them together are what the ID says.
 *
 * @throws IMAGE_NOT_FOUND, LAYER_MISSING, CORRUPT, IO
 */
export async function* exportImage(
  context: StoreContext,
  id: ImageId,
  options: AbortOptions = {},
): AsyncIterable<Uint8Array> {
  await using lease = openLease(context);
  await lease.retain(id);
  const record = context.database.read((sql) => findImage(sql, id));
  if (record === undefined) throw imageNotFound(id);
  const hash = createHash('sha512');
  let held: Uint8Array | undefined;
  for await (const chunk of aciOf(context.layout, record)) {
    options.signal?.throwIfAborted();
    if (held !== undefined) yield held;
    hash.update(chunk);
    held = chunk;
  }
  const actual = `sha512-${hash.digest('hex')}`;
  if (actual !== id) {
    const text = `image ${id} is damaged: what is stored of it has the ID ${actual}`;
    throw new StoreError('ERR_RKT_STORE_CORRUPT', text, { subject: id });
  }
  if (held !== undefined) yield held;
}

/** What of an image is stored, as the ACI it makes, whatever that hashes to. The image must be leased. @throws LAYER_MISSING, CORRUPT, IO */
export async function* aciOf(layout: Layout, parts: ImageParts): AsyncGenerator<Uint8Array, void> {
  await using reader = layerReader(parts.layers.map((diffId) => layerTar(layout, diffId)));
  yield* joinSegments(await segmentsOf(layout, parts), reader);
}

type ImageParts = Pick<ImageRecord, 'id' | 'layers' | 'acis' | 'size'>;

/** What came as an ACI is given back as it came; layers are made into one. */
async function segmentsOf(layout: Layout, parts: ImageParts): Promise<Iterable<AciSegment>> {
  const own = ownAci(parts);
  if (own !== undefined) return [{ kind: 'layer', layer: own, tarOffset: 0, length: parts.size }];
  const tree = await treeOfLayers(layout, parts.id, parts);
  const manifest = await readManifest(layout, parts.id);
  const { aciSegments } = await import('@rkt/appc');
  return aciSegments(tree, manifest);
}
