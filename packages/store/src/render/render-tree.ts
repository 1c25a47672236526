// SPDX-License-Identifier: Apache-2.0
import { closeSync, existsSync, openSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileTree, ImageId } from '@rkt/appc';
import { moveIntoPlace, writeAtomically } from '../cas/atomic-write.ts';
import { directoryTree, erofsTree, imageLock, layerTar } from '../cas/layout.ts';
import { acquireLock } from '../cas/locks.ts';
import { temporaryPath } from '../cas/temporary.ts';
import { tidyUp } from '../cas/tidy-up.ts';
import { removeTree } from '../cas/visit-files.ts';
import { requireWritable, type StoreContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import { syncFileSystem } from '../host/libc.ts';
import { imageNotFound } from '../images/not-found.ts';
import { findImage } from '../records/images.ts';
import type { AbortOptions, Tree, TreeBackend } from '../store.ts';
import { isUnsupportedTree } from '../trees/tree-error.ts';

export interface RenderOptions extends AbortOptions {
  readonly backend: TreeBackend;
}

/**
 * A tree appears whole, under its final name, or not at all: one that is there needs no look inside. The image must
 * be leased, so that nobody removes what is returned. What EROFS cannot hold is extracted instead: see the result's type.
 *
 * @throws IMAGE_NOT_FOUND, LAYER_MISSING, CORRUPT, TREE_INVALID, TREE_UNSUPPORTED, DISK_FULL, PERMISSION
 */
export async function renderTree(context: StoreContext, id: ImageId, options: RenderOptions): Promise<Tree> {
  try {
    return await renderWith(context, id, options);
  } catch (error) {
    if (options.backend !== 'erofs' || !isUnsupportedTree(error)) throw error;
    return renderWith(context, id, { ...options, backend: 'directory' });
  }
}

async function renderWith(context: StoreContext, id: ImageId, options: RenderOptions): Promise<Tree> {
  options.signal?.throwIfAborted();
  const tree = treeOf(context, id, options.backend);
  if (existsSync(treePath(tree))) return tree;
  requireWritable(context, 'render a tree');
  await using _lock = await acquireLock(imageLock(context.layout, id), options);
  if (!existsSync(treePath(tree))) await writeTree(context, id, options);
  return tree;
}

/** Writes a tree in place of whatever is there. To be called with the image's lock. */
export async function writeTree(context: StoreContext, id: ImageId, options: RenderOptions): Promise<void> {
  const { loadTree } = await import('./load-tree.ts');
  const tree = await loadTree(context, id);
  options.signal?.throwIfAborted();
  if (options.backend === 'erofs') {
    const { writeErofs } = await import('../trees/erofs/index.ts');
    await writeAtomically(context, erofsTree(context.layout, id), [writeErofs(tree)]);
  } else {
    await extractIntoPlace(context, id, { ...options, tree });
  }
}

/** Where the tree of an image is, or would be. Layers in the order of the image: that is the order of the tree's devices. */
export function treeOf(context: StoreContext, id: ImageId, backend: TreeBackend): Tree {
  const { layout } = context;
  const record = context.database.read((sql) => findImage(sql, id));
  if (record === undefined) throw imageNotFound(id);
  if (backend === 'directory') return { type: 'directory', path: directoryTree(layout, id) };
  return {
    type: 'erofs',
    source: erofsTree(layout, id),
    devices: record.layers.map((diffId) => layerTar(layout, diffId)),
  };
}

/** The file or directory that stands for the tree in `cas/trees`. */
export function treePath(tree: Tree): string {
  return tree.type === 'erofs' ? tree.source : tree.path;
}

async function extractIntoPlace(context: StoreContext, id: ImageId, extraction: Extraction): Promise<void> {
  const { requireSoundLayers } = await import('../verify/sound-layers.ts');
  const diffIds = extraction.tree.layers.map(({ diffId }) => diffId);
  await requireSoundLayers(context, diffIds, extraction);
  const extracted = await extract(context, extraction);
  try {
    await replaceDirectory(context, id, extracted);
  } catch (error) {
    await tidyUp(() => removeTree(extracted));
    throw toStoreError(error, 'cannot extract an image', directoryTree(context.layout, id));
  }
}

export interface Extraction extends AbortOptions {
  readonly tree: FileTree;
}

/** Extracts a tree into a directory of its own below `cas/tmp`, durably, and gives its path. */
export async function extract(context: StoreContext, { tree, ...options }: Extraction): Promise<string> {
  const { extractTree } = await import('../trees/directory/index.ts');
  const targetDir = temporaryPath(context, 'tree');
  const layerPaths = tree.layers.map(({ diffId }) => layerTar(context.layout, diffId));
  try {
    context.step(`extract ${targetDir}`);
    await extractTree(tree, { ...options, targetDir, layerPaths });
    context.step(`syncfs ${targetDir}`);
    await syncContents(targetDir);
    return targetDir;
  } catch (error) {
    await tidyUp(() => removeTree(targetDir));
    throw toStoreError(error, 'cannot extract an image', targetDir);
  }
}

/** Puts an extracted directory in place of whatever is there. To be called with the image's lock. */
export async function replaceDirectory(context: StoreContext, id: ImageId, extracted: string): Promise<void> {
  await setAside(context, directoryTree(context.layout, id));
  await moveIntoPlace(context, [{ source: extracted, target: directoryTree(context.layout, id) }]);
}

/** A directory cannot be renamed over one that is not empty. */
async function setAside(context: StoreContext, path: string): Promise<void> {
  if (!existsSync(path)) return;
  const aside = temporaryPath(context, 'replaced');
  context.step(`rename ${aside}`);
  await rename(path, aside);
  await removeTree(aside);
}

async function syncContents(path: string): Promise<void> {
  const fd = openSync(dirname(path), 'r');
  try {
    await syncFileSystem(fd);
  } finally {
    closeSync(fd);
  }
}
