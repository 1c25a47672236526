// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ImageId } from '@rkt/appc';
import { writeAtomically } from '../cas/atomic-write.ts';
import { directoryTree, erofsTree, imageLock } from '../cas/layout.ts';
import { acquireLock } from '../cas/locks.ts';
import { removeTree } from '../cas/visit-files.ts';
import type { StoreContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import { loadTree } from '../render/load-tree.ts';
import { extract, replaceDirectory } from '../render/render-tree.ts';
import type { AbortOptions } from '../store.ts';
import { writeErofs } from '../trees/erofs/index.ts';
import { isSameDirectory } from './same-directory.ts';

/**
 * Derives the rendered trees of an image anew and puts them in place of those that differ. A pod that has the old one
 * mounted keeps it. A store that is open read-only is left as it is, and its extracted directories are not looked at.
 *
 * @returns whether a tree was wrong
 */
export async function repairTrees(context: StoreContext, id: ImageId, options: AbortOptions): Promise<boolean> {
  const metadata = await repairMetadata(context, id, options);
  const directory = await repairDirectory(context, id, options);
  return metadata || directory;
}

async function repairMetadata(context: StoreContext, id: ImageId, options: AbortOptions): Promise<boolean> {
  const path = erofsTree(context.layout, id);
  if (!existsSync(path)) return false;
  const expected = writeErofs(await loadTree(context, id));
  if ((await readBytes(path)).equals(expected)) return false;
  if (context.readOnly) return true;
  await using _lock = await acquireLock(imageLock(context.layout, id), options);
  await writeAtomically(context, path, [expected]);
  return true;
}

async function repairDirectory(context: StoreContext, id: ImageId, options: AbortOptions): Promise<boolean> {
  const path = directoryTree(context.layout, id);
  if (context.readOnly || !existsSync(path)) return false;
  const extracted = await extract(context, { ...options, tree: await loadTree(context, id) });
  try {
    if (await isSameDirectory(extracted, path, options.signal)) return false;
    await using _lock = await acquireLock(imageLock(context.layout, id), options);
    await replaceDirectory(context, id, extracted);
    return true;
  } catch (error) {
    throw toStoreError(error, 'cannot verify an extracted image', path);
  } finally {
    await removeTree(extracted);
  }
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw toStoreError(error, 'cannot read a rendered tree', path);
  }
}
