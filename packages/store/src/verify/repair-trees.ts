// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ImageId } from '@rkt/appc';
import { erofsTree, imageLock } from '../cas/layout.ts';
import { acquireLock } from '../cas/locks.ts';
import type { StoreContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import { loadTree } from '../render/load-tree.ts';
import { writeTree } from '../render/render-tree.ts';
import type { AbortOptions } from '../store.ts';

/**
 * Derives the EROFS metadata of an image anew and compares it with what is rendered; a difference is repaired unless
 * the store is open read-only. A pod that has the old file mounted keeps it.
 *
 * @returns whether the tree was wrong
 */
export async function repairTrees(context: StoreContext, id: ImageId, options: AbortOptions): Promise<boolean> {
  const path = erofsTree(context.layout, id);
  if (!existsSync(path)) return false;
  const { writeErofs } = await import('../trees/erofs/index.ts');
  const expected = writeErofs(await loadTree(context, id));
  if ((await readBytes(path)).equals(expected)) return false;
  if (context.readOnly) return true;
  await using _lock = await acquireLock(imageLock(context.layout, id), options);
  await writeTree(context, id, { ...options, backend: 'erofs' });
  return true;
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw toStoreError(error, 'cannot read a rendered tree', path);
  }
}
