// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { FileTree, ImageId, LayerIndex, StackableLayer, StackedAci } from '@rkt/appc';
import { type Layout, layerIndex } from '../cas/layout.ts';
import type { StoreContext } from '../context.ts';
import { isNotFound, printable, StoreError, toStoreError } from '../errors.ts';
import { imageNotFound } from '../images/not-found.ts';
import { findImage } from '../records/images.ts';
import type { ImageRecord, ReceivedAci } from '../store.ts';
import { aciManifest } from './aci-manifest.ts';

/** Of all ACIs an image is made of: path whitelists are all there while the tree is made. */
const MOST_MANIFEST_BYTES = 32 * 1024 * 1024;

/** See {@link Store.loadTree}. @throws IMAGE_NOT_FOUND, LAYER_MISSING, CORRUPT */
export async function loadTree(context: StoreContext, id: ImageId): Promise<FileTree> {
  const record = context.database.read((sql) => findImage(sql, id));
  if (record === undefined) throw imageNotFound(id);
  return await treeOfLayers(context.layout, id, record);
}

/** What layers are to make together. */
export interface LayerStack extends Pick<ImageRecord, 'layers' | 'acis'> {
  /** Of all layers, each counted as often as it is there. @default any number */
  readonly maxEntries?: number;
  /** An ACI among them that is not a layer of the store yet. */
  readonly received?: Pick<ReceivedAci, 'diffId' | 'index' | 'manifestBytes'>;
}

/** What layers make together, as the record of an image has them or is to have them; `subject` is for messages. */
export async function treeOfLayers(layout: Layout, subject: string, record: LayerStack): Promise<FileTree> {
  const { mergeLayers, parseImageManifest, stackAcis } = await import('@rkt/appc');
  const { received } = record;
  const layers = await stackedLayers(layout, subject, record);
  const acis: StackedAci[] = [];
  let manifestBytes = 0;
  for (const { first, position } of record.acis) {
    const layer = layers[position];
    if (layer === undefined) throw new RangeError(`layer ${position} of ${layers.length}`);
    const bytes = layer.diffId === received?.diffId ? received.manifestBytes : await aciManifest(layout, layer);
    manifestBytes += bytes.length;
    if (manifestBytes > MOST_MANIFEST_BYTES) throw tooMuchOfManifests(subject);
    const { pathWhitelist } = decoded(layer.diffId, () => parseImageManifest(bytes));
    acis.push({ first, position, pathWhitelist });
  }
  return decoded(subject, () => mergeLayers(acis.length === 0 ? layers : stackAcis(layers, acis)));
}

async function stackedLayers(
  layout: Layout,
  subject: string,
  { layers, received, maxEntries = Number.POSITIVE_INFINITY }: LayerStack,
): Promise<readonly StackableLayer[]> {
  const indexes = new Map<string, LayerIndex>();
  const stacked: StackableLayer[] = [];
  let entries = 0;
  for (const diffId of layers) {
    const index = indexes.get(diffId) ?? (await indexOf(layout, diffId, received));
    indexes.set(diffId, index);
    stacked.push({ diffId, index });
    entries += index.entries.length;
    if (entries > maxEntries) throw tooManyEntries(subject, maxEntries);
  }
  return stacked;
}

async function indexOf(layout: Layout, diffId: string, received: LayerStack['received']): Promise<LayerIndex> {
  if (diffId !== received?.diffId) return await loadIndex(layout, diffId);
  const { decodeLayerIndex } = await import('@rkt/appc');
  return decoded(diffId, () => decodeLayerIndex(received.index));
}

function tooManyEntries(subject: string, most: number): StoreError {
  const text = `the layers of ${printable(subject)} and its dependencies have more than ${most} entries`;
  return new StoreError('ERR_RKT_STORE_TREE_UNSUPPORTED', text, { subject });
}

function tooMuchOfManifests(subject: string): StoreError {
  const text = `the manifests of ${printable(subject)} and its dependencies have more than ${MOST_MANIFEST_BYTES} bytes`;
  return new StoreError('ERR_RKT_STORE_TREE_UNSUPPORTED', text, { subject });
}

/** The index of a layer's tar. @throws LAYER_MISSING, CORRUPT */
export async function loadIndex(layout: Layout, diffId: string): Promise<LayerIndex> {
  const { decodeLayerIndex } = await import('@rkt/appc');
  const bytes = await readIndex(layout, diffId);
  return decoded(diffId, () => decodeLayerIndex(bytes));
}

async function readIndex(layout: Layout, diffId: string): Promise<Uint8Array> {
  const path = layerIndex(layout, diffId);
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
