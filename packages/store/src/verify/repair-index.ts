// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { writeAtomically } from '../cas/atomic-write.ts';
import { layerIndex, layerLock } from '../cas/layout.ts';
import { acquireLock } from '../cas/locks.ts';
import type { StoreContext } from '../context.ts';
import { isNotFound, toStoreError } from '../errors.ts';
import type { AbortOptions } from '../store.ts';

/** Puts the index that follows from a layer's tar in place of one that is missing or says something else; says whether it did. */
export async function repairIndex(
  context: StoreContext,
  layer: { readonly diffId: string; readonly index: Uint8Array },
  options: AbortOptions,
): Promise<boolean> {
  const path = layerIndex(context.layout, layer.diffId);
  if (context.readOnly || (await isSame(path, layer.index))) return false;
  await using _lock = await acquireLock(layerLock(context.layout, layer.diffId), options);
  await writeAtomically(context, path, [layer.index]);
  return true;
}

async function isSame(path: string, expected: Uint8Array): Promise<boolean> {
  try {
    return (await readFile(path)).equals(expected);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw toStoreError(error, 'cannot read a layer index', path);
  }
}
