// SPDX-License-Identifier: Apache-2.0
import type { FileTree, TreeLayer } from '@rkt/appc';
import type { StoreError } from '../../errors.ts';
import { type Inode, pathOf } from '../inventory.ts';
import { treeError } from '../tree-error.ts';
import { type ChunkMap, mapChunks } from './chunks.ts';
import { directorySize } from './dirents.ts';
import {
  BLOCK_SIZE,
  CHUNK_INDEX_SIZE,
  COMPACT_INODE_SIZE,
  DEVICE_SLOT_SIZE,
  EXTENDED_INODE_SIZE,
  INODE_SLOT_SIZE,
  LAYOUT_CHUNK_BASED,
  LAYOUT_FLAT_INLINE,
  LAYOUT_FLAT_PLAIN,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
} from './format.ts';
import { type EncodedXattr, encodeXattrs, xattrBodySize } from './xattrs.ts';

/** What an inode takes, wherever it goes. */
export interface MeasuredInode {
  readonly inode: Inode;
  readonly extended: boolean;
  /** Bytes of content: of the file, of the link target, of the directory's entries. */
  readonly size: number;
  readonly xattrs: readonly EncodedXattr[];
  /** Bytes of inode and attributes. */
  readonly head: number;
  readonly chunks: ChunkMap | undefined;
}

/** Where an inode goes. Offsets are bytes in the image. */
export interface PlacedInode {
  readonly measured: MeasuredInode;
  readonly offset: number;
  /** Where what follows the attributes begins: chunk indexes or the inline tail. */
  readonly payload: number;
  readonly dataLayout: number;
  /** Index of the first of its blocks among those from {@link Layout.blocks} on. */
  readonly firstBlock: number;
  readonly blockCount: number;
  /** Offset after everything but the blocks. */
  readonly end: number;
}

export interface Layout {
  /** Where each inode goes, in the order of the inventory. */
  readonly offsets: Uint32Array;
  /** Offset of the first data block. */
  readonly blocks: number;
  /** Bytes of the whole image. */
  readonly size: number;
  /** Seconds: inodes with this time need not state it. */
  readonly buildTime: number;
}

/** Inode numbers of dirents and block addresses stay far below 2^32, and a hostile tree cannot exhaust memory. */
export const MAX_IMAGE_SIZE: number = 2 ** 30;
/** `root_nid` is 16 bits wide: the root must come within 2 MiB, and the device table comes before it. */
export const MAX_LAYERS = 4096;
/** Block addresses are 32 bits wide, and the last one means a hole: just under 2 TiB. */
export const MAX_LAYER_SIZE: number = (2 ** 32 - 1) * BLOCK_SIZE;

/** First pass: the place of every inode and the size of it all. */
export function planLayout(tree: FileTree, inodes: readonly Inode[]): Layout {
  checkLayers(tree.layers);
  const buildTime = mostFrequentTime(inodes);
  const offsets = new Uint32Array(inodes.length);
  let end = 0;
  let blockCount = 0;
  for (const placed of placeInodes(tree, inodes, buildTime)) {
    offsets[placed.measured.inode.index] = placed.offset;
    end = placed.end;
    blockCount = placed.firstBlock + placed.blockCount;
  }
  const blocks = roundUp(end, BLOCK_SIZE);
  return { offsets, blocks, size: blocks + blockCount * BLOCK_SIZE, buildTime };
}

/**
 * What every inode takes and where it goes, in the order of the inventory. The same each time: to work it out again for
 * the second pass takes less than to keep it.
 */
export function* placeInodes(tree: FileTree, inodes: readonly Inode[], buildTime: number): Generator<PlacedInode> {
  let offset = SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE + tree.layers.length * DEVICE_SLOT_SIZE;
  let blockCount = 0;
  for (const inode of inodes) {
    const placed = placeInode(measure(tree, inode, buildTime), offset, blockCount);
    offset = placed.end;
    blockCount += placed.blockCount;
    if (offset + blockCount * BLOCK_SIZE > MAX_IMAGE_SIZE) {
      throw treeError('ERR_RKT_STORE_TREE_UNSUPPORTED', `metadata exceeds ${MAX_IMAGE_SIZE} bytes`);
    }
    yield placed;
  }
}

function checkLayers(layers: readonly TreeLayer[]): void {
  if (layers.length > MAX_LAYERS) {
    throw treeError('ERR_RKT_STORE_TREE_UNSUPPORTED', `more than ${MAX_LAYERS} layers: ${layers.length}`);
  }
  const large = layers.find(({ size }) => size > MAX_LAYER_SIZE);
  if (large === undefined) return;
  throw treeError('ERR_RKT_STORE_TREE_UNSUPPORTED', `layer exceeds ${MAX_LAYER_SIZE} bytes: ${large.size}`);
}

function measure(tree: FileTree, inode: Inode, buildTime: number): MeasuredInode {
  const xattrs = encodeXattrs(inode.node);
  if (xattrs === undefined) throw refuse(inode, 'unsupported', 'extended attributes are too large');
  const size = contentSize(inode);
  const extended = !isCompact(inode, size, buildTime);
  const head = (extended ? EXTENDED_INODE_SIZE : COMPACT_INODE_SIZE) + xattrBodySize(xattrs);
  return { inode, extended, size, xattrs, head, chunks: chunksOf(tree, inode) };
}

function placeInode(measured: MeasuredInode, offset: number, firstBlock: number): PlacedInode {
  const { chunks, head } = measured;
  if (chunks === undefined) return placeFlat(measured, offset, firstBlock);
  const payload = offset + roundUp(head, CHUNK_INDEX_SIZE);
  const end = roundUp(payload + chunks.count * CHUNK_INDEX_SIZE, INODE_SLOT_SIZE);
  return { measured, offset, payload, dataLayout: LAYOUT_CHUNK_BASED, firstBlock, blockCount: 0, end };
}

/** Directories, symbolic links and whatever has no content. */
function placeFlat(measured: MeasuredInode, start: number, firstBlock: number): PlacedInode {
  const { head, size, inode } = measured;
  const tail = size % BLOCK_SIZE;
  // Links are inline as a whole or not at all: that is the form the kernel follows without reading a page.
  const mayInline = inode.node.kind !== 'symlink' || size < BLOCK_SIZE;
  const inline = mayInline && tail > 0 && head + tail <= BLOCK_SIZE;
  // An inline tail must not cross into another block.
  const crosses = inline && (start % BLOCK_SIZE) + head + tail > BLOCK_SIZE;
  const offset = crosses ? roundUp(start, BLOCK_SIZE) : start;
  return {
    measured,
    offset,
    payload: offset + head,
    dataLayout: inline ? LAYOUT_FLAT_INLINE : LAYOUT_FLAT_PLAIN,
    firstBlock,
    blockCount: inline ? Math.floor(size / BLOCK_SIZE) : Math.ceil(size / BLOCK_SIZE),
    end: roundUp(offset + head + (inline ? tail : 0), INODE_SLOT_SIZE),
  };
}

function contentSize({ node, directory }: Inode): number {
  switch (node.kind) {
    case 'directory':
      return directorySize(directory?.names ?? []);
    case 'file':
      return node.size;
    case 'symlink':
      return node.target.length;
    default:
      return 0;
  }
}

function chunksOf(tree: FileTree, inode: Inode): ChunkMap | undefined {
  const { node } = inode;
  if (node.kind !== 'file' || node.size === 0) return undefined;
  const layer = node.origin === undefined ? undefined : tree.layers[node.origin.layer];
  const chunks = mapChunks(node, layer?.size ?? 0);
  if ('kind' in chunks) throw refuse(inode, chunks.kind, chunks.reason);
  return chunks;
}

/** Compact inodes have 16-bit owners and link counts, 32-bit sizes, and the image's build time. */
function isCompact(inode: Inode, size: number, buildTime: number): boolean {
  const { uid, gid, mtime, mtimeNanoseconds } = inode.node.attributes;
  const timed = mtime === buildTime && mtimeNanoseconds === 0;
  return timed && uid <= 0xffff && gid <= 0xffff && inode.links <= 0xffff && size <= 0xffffffff;
}

/** The whole second most inodes share; reproducible images have just one. The first seen wins a draw. */
function mostFrequentTime(inodes: readonly Inode[]): number {
  const counts = new Map<number, number>();
  let best = 0;
  let bestCount = 0;
  for (const { node } of inodes) {
    const { mtime, mtimeNanoseconds } = node.attributes;
    if (mtimeNanoseconds !== 0) continue;
    const count = (counts.get(mtime) ?? 0) + 1;
    counts.set(mtime, count);
    if (count > bestCount) [best, bestCount] = [mtime, count];
  }
  return best;
}

function refuse(inode: Inode, kind: 'invalid' | 'unsupported', reason: string): StoreError {
  const code = kind === 'invalid' ? 'ERR_RKT_STORE_TREE_INVALID' : 'ERR_RKT_STORE_TREE_UNSUPPORTED';
  return treeError(code, reason, { entry: pathOf(inode) });
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
