// SPDX-License-Identifier: Apache-2.0
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Layout, layerIndex, layerTar } from '../cas/layout.ts';
import { isNotFound, toStoreError } from '../errors.ts';

/** Bytes of a file, or of all that a directory holds; undefined when it is not there. */
export async function bytesOf(path: string): Promise<number | undefined> {
  try {
    const stat = await lstat(path);
    if (!stat.isDirectory()) return stat.size;
    let sum = 0;
    for (const name of await readdir(path)) sum += (await bytesOf(join(path, name))) ?? 0;
    return sum;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw toStoreError(error, 'cannot examine the store', path);
  }
}

/** Bytes of a layer with its index; undefined when there is neither. */
export async function layerBytes(layout: Layout, diffId: string): Promise<number | undefined> {
  const tar = await bytesOf(layerTar(layout, diffId));
  const index = await bytesOf(layerIndex(layout, diffId));
  return tar === undefined && index === undefined ? undefined : (tar ?? 0) + (index ?? 0);
}
