// SPDX-License-Identifier: Apache-2.0
import { rename } from 'node:fs/promises';
import type { ImageManifest } from '@rkt/appc';
import { prepareLayer } from '../cas/prepare-layer.ts';
import { temporaryFile } from '../cas/temporary-file.ts';
import type { StoreContext } from '../context.ts';
import { isStoreError, printable, StoreError, toStoreError } from '../errors.ts';
import { openLease } from '../leases/leases.ts';
import { findImage } from '../records/images.ts';
import { type LayerStack, treeOfLayers } from '../render/load-tree.ts';
import type { AciIngest, ImageRecord, ReceivedAci } from '../store.ts';
import { translated } from '../translated.ts';
import { putImage } from './put-image.ts';
import { resolveDependencies } from './resolve-dependencies.ts';

/**
 * Of all layers, each counted as often as the image has it: a large image a hundred times over takes a few hundred bytes to
 * ask for, and its tree would take a kilobyte of memory for each. Twice what one layer may have.
 */
const MOST_ENTRIES = 2_000_000;

/** See {@link Store.ingestAci}. @throws PERMISSION, DISK_FULL, IO */
export async function ingestAci(context: StoreContext): Promise<AciIngest> {
  const file = await temporaryFile(context, 'aci');
  const { dir } = context.layout;
  return { ...file, commit: (aci) => translated(dir, () => commitAci(context, file.path, aci)) };
}

/**
 * An image that is there in layers stays in layers: to have the same content a second time would serve nobody. Otherwise
 * the archive becomes a layer, upon those of its dependencies.
 */
async function commitAci(context: StoreContext, path: string, aci: ReceivedAci): Promise<ImageRecord> {
  const { parseImageManifest } = await import('@rkt/appc');
  const { id, diffId, size, manifestBytes, signal } = aci;
  const manifest = parseImageManifest(manifestBytes);
  const image = { id, name: nameOf(manifest), manifestBytes, size, ...(signal === undefined ? {} : { signal }) };
  const known = context.database.read((sql) => findImage(sql, id));
  if (known?.acis.length === 0) return await putImage(context, { ...image, layers: known.layers });
  await using lease = openLease(context);
  const below = await resolveDependencies(context, manifest, lease);
  const position = below.layers.length;
  const layers = [...below.layers, diffId];
  const acis = [...below.acis, { first: 0, position }];
  const hasDependencies = (manifest.dependencies ?? []).length > 0;
  if (hasDependencies) await requireTree(context, manifest, { layers, acis, received: aci });
  await putArchive(context, path, aci);
  return await putImage(context, { ...image, layers, acis });
}

/**
 * Whoever read the archive could not know what is below it, where its hard links may lead. Asked before the archive becomes
 * a layer: one that is refused leaves nothing.
 */
async function requireTree(context: StoreContext, { name }: ImageManifest, stack: LayerStack): Promise<void> {
  try {
    await treeOfLayers(context.layout, name, { ...stack, maxEntries: MOST_ENTRIES });
  } catch (error) {
    const { isAppcError } = await import('@rkt/appc');
    const cause = isStoreError(error) ? error.cause : undefined;
    if (!isAppcError(cause)) throw toStoreError(error, 'cannot read a layer index');
    const text = `image ${printable(name)} and its dependencies make no file system: ${cause.message}`;
    throw new StoreError('ERR_RKT_STORE_TREE_INVALID', text, { subject: name, cause });
  }
}

/** As a layer, which it is: an uncompressed tar under its digest, with the index of the whole of it. */
async function putArchive(context: StoreContext, path: string, aci: ReceivedAci): Promise<void> {
  const { diffId, size, index, signal } = aci;
  const leave = await prepareLayer(context, diffId, signal === undefined ? {} : { signal });
  if (leave.state === 'present') return;
  await using ingest = leave;
  try {
    context.step(`rename ${ingest.path}`);
    await rename(path, ingest.path);
  } catch (error) {
    throw toStoreError(error, 'cannot write to the store', ingest.path);
  }
  await ingest.commit({ size, index });
}

/** As images are listed: with the version after a colon, if it is one that can stand there. */
function nameOf({ name, labels = [] }: ImageManifest): string {
  const version = labels.find((label) => label.name === 'version')?.value ?? '';
  return /^[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,127}$/.test(version) ? `${name}:${version}` : name;
}
