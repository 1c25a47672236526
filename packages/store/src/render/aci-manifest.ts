// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import { isAppcError, type LayerIndex } from '@rkt/appc';
import { type Layout, layerTar } from '../cas/layout.ts';
import { unreadableLayer } from '../cas/unreadable-layer.ts';
import { StoreError } from '../errors.ts';

/** The manifest of an ACI that is kept as a layer, as it stands in the tar. @throws LAYER_MISSING, CORRUPT, IO */
export async function aciManifest(
  layout: Layout,
  { diffId, index }: { readonly diffId: string; readonly index: LayerIndex },
): Promise<Uint8Array> {
  const path = layerTar(layout, diffId);
  const { splitAciIndex } = await import('@rkt/appc');
  try {
    const { manifest } = splitAciIndex(index);
    const bytes = Buffer.alloc(manifest.size);
    await using file = await open(path, 'r');
    const { bytesRead } = await file.read(bytes, 0, bytes.length, manifest.extents[0]?.tarOffset ?? 0);
    if (bytesRead === bytes.length) return bytes;
  } catch (error) {
    if (isAppcError(error)) throw damaged(diffId, path, error);
    throw unreadableLayer(error, path);
  }
  throw damaged(diffId, path);
}

function damaged(diffId: string, path: string, cause?: unknown): StoreError {
  const text = `the ACI kept as layer ${diffId} has no manifest where it should have`;
  return new StoreError('ERR_RKT_STORE_CORRUPT', text, { path, subject: diffId, cause });
}
