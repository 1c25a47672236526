// SPDX-License-Identifier: Apache-2.0
import type { FileTree } from '@rkt/appc';
import { type Inode, pathOf, takeInventory } from '../inventory.ts';
import { unrepresentable } from '../node-limits.ts';
import { treeError } from '../tree-error.ts';
import { writeDirectory } from './dirents.ts';
import { BLOCK_SIZE, INODE_SLOT_SIZE, LAYOUT_FLAT_INLINE } from './format.ts';
import { writeChunkIndexes, writeInode } from './inode.ts';
import { type Layout, type PlacedInode, placeInodes, planLayout } from './layout.ts';
import { writeSuperblock } from './superblock.ts';

/**
 * The EROFS metadata image of a tree: all names and attributes, and for file content pointers into the layer tars,
 * which the kernel is given as devices in the order of `tree.layers`. Deterministic: equal trees give equal bytes.
 * What overlayfs would take for its own marks is left out (see `rendered-content.ts`).
 *
 * Block size 512; Linux 6.12 or later mounts it from plain files. At most 4096 layers, each below 2 TiB, 1 GiB of metadata,
 * directories 2048 deep, and sparse files whose pieces are aligned to 512 bytes.
 *
 * Throws: ERR_RKT_STORE_TREE_UNSUPPORTED when the format cannot hold the tree (render a directory instead),
 * ERR_RKT_STORE_TREE_INVALID when the tree contradicts itself or its layers.
 */
export function writeErofs(tree: FileTree): Uint8Array {
  const inodes = takeInventory(tree);
  for (const inode of inodes) checkNode(inode);
  const layout = planLayout(tree, inodes);
  const image = Buffer.alloc(layout.size);
  for (const placed of placeInodes(tree, inodes, layout.buildTime)) {
    writeInode(image, placed, firstBlockAddress(layout, placed));
    writeContent(image, layout, placed);
  }
  writeSuperblock(image, {
    layers: tree.layers,
    root: layout.offsets[0] ?? 0,
    inodeCount: inodes.length,
    buildTime: layout.buildTime,
  });
  return image;
}

function checkNode(inode: Inode): void {
  const problem = unrepresentable(inode.node);
  if (problem !== undefined) throw treeError('ERR_RKT_STORE_TREE_INVALID', problem, { entry: pathOf(inode) });
}

function firstBlockAddress({ blocks }: Layout, { firstBlock, blockCount }: PlacedInode): number {
  return blockCount === 0 ? 0 : blocks / BLOCK_SIZE + firstBlock;
}

function writeContent(image: Buffer, layout: Layout, placed: PlacedInode): void {
  const { payload, measured } = placed;
  const { chunks, inode } = measured;
  const { node, directory } = inode;
  if (chunks !== undefined) writeChunkIndexes(image, payload, chunks, (node.origin?.layer ?? 0) + 1);
  const blocks = layout.blocks + placed.firstBlock * BLOCK_SIZE;
  const inline = placed.dataLayout === LAYOUT_FLAT_INLINE;
  if (directory !== undefined) {
    const lastBlock = inline ? payload : blocks + (placed.blockCount - 1) * BLOCK_SIZE;
    writeDirectory(image, { blocks, lastBlock }, directory, (inode) => inodeNumber(layout, inode));
  } else if (node.kind === 'symlink') {
    image.write(node.target, inline ? payload : blocks, 'latin1');
  }
}

function inodeNumber(layout: Layout, inode: Inode): number {
  const offset = layout.offsets[inode.index];
  if (offset === undefined) throw new RangeError(`no place for inode ${inode.index}`);
  return offset / INODE_SLOT_SIZE;
}
