// SPDX-License-Identifier: Apache-2.0
import type { TreeNode } from '@rkt/appc';
import { type ChunkMap, chunkSize } from './chunks.ts';
import {
  BLOCK_SIZE,
  CHUNK_FORMAT_INDEXES,
  CHUNK_INDEX_SIZE,
  COMPACT_INODE_SIZE,
  EXTENDED_INODE_SIZE,
  NULL_BLOCK,
} from './format.ts';
import type { MeasuredInode, PlacedInode } from './layout.ts';
import { writeXattrs, xattrBodySize, xattrCount } from './xattrs.ts';

/** Writes the inode and its attributes. `rawBlock` is the address of the first of its data blocks, if it has any. */
export function writeInode(image: Buffer, placed: PlacedInode, rawBlock: number): void {
  const { measured, offset } = placed;
  const { inode, extended, xattrs } = measured;
  image.writeUInt16LE((extended ? 1 : 0) | (placed.dataLayout << 1), offset);
  image.writeUInt16LE(xattrCount(xattrBodySize(xattrs)), offset + 2);
  image.writeUInt16LE(TYPE_BITS[inode.node.kind] | permissions(inode.node), offset + 4);
  image.writeUInt32LE(dataField(measured, rawBlock), offset + 16);
  image.writeUInt32LE(inode.index + 1, offset + 20);
  if (extended) writeExtendedFields(image, measured, offset);
  else writeCompactFields(image, measured, offset);
  if (xattrs.length > 0) writeXattrs(image, offset + (extended ? EXTENDED_INODE_SIZE : COMPACT_INODE_SIZE), xattrs);
}

/** Writes one index per chunk: the device (1 is the base layer's) and the block in it, or a hole. */
export function writeChunkIndexes(image: Buffer, payload: number, chunks: ChunkMap, device: number): void {
  const size = chunkSize(chunks.bits);
  let next = 0;
  for (let chunk = 0; chunk < chunks.count; chunk += 1) {
    const start = chunk * size;
    let extent = chunks.extents[next];
    if (extent !== undefined && extent.fileOffset + extent.length <= start) {
      next += 1;
      extent = chunks.extents[next];
    }
    const at = payload + chunk * CHUNK_INDEX_SIZE;
    if (extent === undefined || extent.fileOffset > start) {
      image.writeUInt32LE(NULL_BLOCK, at + 4);
    } else {
      image.writeUInt16LE(device, at + 2);
      image.writeUInt32LE((extent.tarOffset + start - extent.fileOffset) / BLOCK_SIZE, at + 4);
    }
  }
}

function writeCompactFields(image: Buffer, { inode, size }: MeasuredInode, offset: number): void {
  const { uid, gid } = inode.node.attributes;
  image.writeUInt16LE(inode.links, offset + 6);
  image.writeUInt32LE(size, offset + 8);
  image.writeUInt16LE(uid, offset + 24);
  image.writeUInt16LE(gid, offset + 26);
}

function writeExtendedFields(image: Buffer, { inode, size }: MeasuredInode, offset: number): void {
  const { uid, gid, mtime, mtimeNanoseconds } = inode.node.attributes;
  writeInt64(image, size, offset + 8);
  image.writeUInt32LE(uid, offset + 24);
  image.writeUInt32LE(gid, offset + 28);
  writeInt64(image, mtime, offset + 32);
  image.writeUInt32LE(mtimeNanoseconds, offset + 40);
  image.writeUInt32LE(inode.links, offset + 44);
}

/** The field whose meaning depends on the kind: device number, chunk format or block address. */
function dataField({ inode: { node }, chunks }: MeasuredInode, rawBlock: number): number {
  if (node.kind === 'character-device' || node.kind === 'block-device') return deviceNumber(node.major, node.minor);
  return chunks === undefined ? rawBlock : CHUNK_FORMAT_INDEXES | chunks.bits;
}

/** The kernel's 32-bit form: 12 bits of major between the low 8 and the high 12 of minor. */
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** Linux gives symbolic links no permissions of their own, whatever an archive says. */
function permissions(node: TreeNode): number {
  return node.kind === 'symlink' ? 0o777 : node.attributes.mode & 0o7777;
}

/** Two's complement, for times before 1970. */
export function writeInt64(image: Buffer, value: number, offset: number): void {
  image.writeUInt32LE(value % 2 ** 32 < 0 ? (value % 2 ** 32) + 2 ** 32 : value % 2 ** 32, offset);
  image.writeInt32LE(Math.floor(value / 2 ** 32), offset + 4);
}

const TYPE_BITS: Readonly<Record<TreeNode['kind'], number>> = {
  fifo: 0o010000,
  'character-device': 0o020000,
  directory: 0o040000,
  'block-device': 0o060000,
  file: 0o100000,
  symlink: 0o120000,
};
