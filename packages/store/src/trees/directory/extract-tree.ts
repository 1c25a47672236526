// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileTree } from '@rkt/appc';
import { unreadableLayer } from '../../cas/unreadable-layer.ts';
import { loadTreeSyscalls } from '../../host/tree-syscalls.ts';
import { type Inode, pathOf, takeInventory } from '../inventory.ts';
import { unrepresentable } from '../node-limits.ts';
import { treeError } from '../tree-error.ts';
import { newExtraction } from './extraction.ts';
import { makeTarget } from './target.ts';
import { extractDirectory } from './walk.ts';

export interface ExtractTreeOptions {
  /** Made here, mode 0700 until the end; must not exist, its parent must. Removed again on failure. */
  readonly targetDir: string;
  /** The uncompressed tars in the order of `tree.layers`. */
  readonly layerPaths: readonly string[];
  readonly signal?: AbortSignal;
  /**
   * Whether owners, devices and the attributes `trusted.*` and `security.*` are set. Without, everything belongs to
   * the caller, who may enter and change every directory, and these are left out. @default whether the effective user is root
   */
  readonly privileged?: boolean;
}

/**
 * Creates a tree as files: for hosts where EROFS cannot be mounted from files. What overlayfs would take for its own
 * marks is left out (see `rendered-content.ts`). No path is ever resolved: every call takes the handle of a directory
 * made here and one name, and follows no symbolic link. Does not sync.
 *
 * Works in slices of a few milliseconds between which the event loop turns and `signal` is heeded.
 *
 * Throws: ERR_RKT_STORE_LAYER_MISSING, ERR_RKT_STORE_TREE_INVALID, ERR_RKT_STORE_TREE_UNSUPPORTED (limits of the tree),
 * ERR_RKT_STORE_DISK_FULL, ERR_RKT_STORE_PERMISSION, ERR_RKT_STORE_IO, `signal.reason`.
 */
export async function extractTree(tree: FileTree, options: ExtractTreeOptions): Promise<void> {
  const { targetDir, layerPaths, signal } = options;
  signal?.throwIfAborted();
  if (layerPaths.length !== tree.layers.length) {
    throw new RangeError(`${tree.layers.length} layers need as many paths, got ${layerPaths.length}`);
  }
  const root = checkedRoot(tree);
  const calls = await loadTreeSyscalls();
  const opened: number[] = [];
  try {
    for (const path of layerPaths) opened.push(openLayer(path));
    const privileged = options.privileged ?? process.geteuid?.() === 0;
    const extraction = newExtraction({ calls, layers: opened, privileged });
    await makeTarget(targetDir, (handle) => runInSlices(extractDirectory(extraction, root, handle), signal));
  } finally {
    for (const layer of opened) closeSync(layer);
  }
}

function openLayer(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY);
  } catch (error) {
    throw unreadableLayer(error, path);
  }
}

/** Refuses a tree before anything of it is on disk. */
function checkedRoot(tree: FileTree): Inode {
  const inodes = takeInventory(tree);
  for (const inode of inodes) {
    const problem = unrepresentable(inode.node);
    if (problem !== undefined) throw treeError('ERR_RKT_STORE_TREE_INVALID', problem, { entry: pathOf(inode) });
  }
  const [root] = inodes;
  if (root === undefined) throw new RangeError('a tree without a root');
  return root;
}

const SLICE_MS = 8;

/** Synchronous calls are an order of magnitude faster than promises; slices keep timers and signals alive. */
async function runInSlices(steps: Generator<void>, signal: AbortSignal | undefined): Promise<void> {
  try {
    let sliceEnd = performance.now() + SLICE_MS;
    while (steps.next().done !== true) {
      if (performance.now() < sliceEnd) continue;
      await nextTurn();
      signal?.throwIfAborted();
      sliceEnd = performance.now() + SLICE_MS;
    }
  } finally {
    // Closes the handles of directories that are still open.
    steps.return(undefined);
  }
}
