// SPDX-License-Identifier: Apache-2.0
import { type Layout, layerIndex, layerTar } from '../cas/layout.ts';
import { bytesOf } from '../cas/visit-files.ts';

/** Bytes of a layer with its index; undefined when there is neither. */
export async function layerBytes(layout: Layout, diffId: string): Promise<number | undefined> {
  const tar = await bytesOf(layerTar(layout, diffId));
  const index = await bytesOf(layerIndex(layout, diffId));
  return tar === undefined && index === undefined ? undefined : (tar ?? 0) + (index ?? 0);
}
