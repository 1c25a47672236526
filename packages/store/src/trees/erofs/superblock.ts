// SPDX-License-Identifier: Apache-2.0
import type { TreeLayer } from '@rkt/appc';
import { crc32c } from './crc32c.ts';
import {
  BLOCK_BITS,
  BLOCK_SIZE,
  COMPATIBLE_CHECKSUM,
  COMPATIBLE_MTIME,
  DEVICE_SLOT_SIZE,
  DEVICE_TAG_SIZE,
  INCOMPATIBLE_CHUNKED_FILE,
  INCOMPATIBLE_DEVICE_TABLE,
  INODE_SLOT_SIZE,
  SUPERBLOCK_MAGIC,
  SUPERBLOCK_OFFSET,
  SUPERBLOCK_SIZE,
} from './format.ts';
import { writeInt64 } from './inode.ts';

export interface SuperblockFields {
  readonly layers: readonly TreeLayer[];
  /** Offset of the root inode in the image. */
  readonly root: number;
  readonly inodeCount: number;
  readonly buildTime: number;
}

/** Writes superblock and device table. Last of all, for the checksum covers what follows in the same block. */
export function writeSuperblock(image: Buffer, fields: SuperblockFields): void {
  writeDeviceTable(image, fields.layers);
  const at = SUPERBLOCK_OFFSET;
  image.writeUInt32LE(SUPERBLOCK_MAGIC, at);
  image.writeUInt32LE(COMPATIBLE_CHECKSUM | COMPATIBLE_MTIME, at + 8);
  image[at + 12] = BLOCK_BITS;
  image.writeUInt16LE(fields.root / INODE_SLOT_SIZE, at + 14);
  writeInt64(image, fields.inodeCount, at + 16);
  writeInt64(image, fields.buildTime, at + 24);
  image.writeUInt32LE(image.length / BLOCK_SIZE, at + 36);
  image.set(volumeId(fields.layers), at + 48);
  const devices = fields.layers.length === 0 ? 0 : INCOMPATIBLE_DEVICE_TABLE;
  image.writeUInt32LE(INCOMPATIBLE_CHUNKED_FILE | devices, at + 80);
  image.writeUInt16LE(fields.layers.length, at + 86);
  image.writeUInt16LE((SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE) / DEVICE_SLOT_SIZE, at + 88);
  // Computed with the checksum field still zero.
  image.writeUInt32LE(crc32c(image.subarray(at, at + BLOCK_SIZE)), at + 4);
}

function writeDeviceTable(image: Buffer, layers: readonly TreeLayer[]): void {
  let at = SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE;
  for (const { diffId, size } of layers) {
    image.write(diffId.slice(DIGEST_PREFIX.length), at, DEVICE_TAG_SIZE, 'latin1');
    image.writeUInt32LE(Math.ceil(size / BLOCK_SIZE), at + DEVICE_TAG_SIZE);
    at += DEVICE_SLOT_SIZE;
  }
}

/**
 * A UUID (RFC 9562, version 8) made of the diffIDs: the tree is a function of its layers, so they name it. DiffIDs are
 * hashes already; what mixes them only has to depend on their order.
 */
function volumeId(layers: readonly TreeLayer[]): Uint8Array {
  const id = Buffer.alloc(16);
  for (let word = 0; word < 4; word += 1) {
    let mixed = layers.length;
    for (const { diffId } of layers) {
      const start = DIGEST_PREFIX.length + word * 8;
      mixed = Math.imul(mixed, 0x01000193) + Number.parseInt(diffId.slice(start, start + 8), 16);
    }
    id.writeUInt32BE(mixed >>> 0, word * 4);
  }
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x80;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  return id;
}

const DIGEST_PREFIX = 'sha256:';
