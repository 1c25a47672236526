// SPDX-License-Identifier: Apache-2.0
import type { ByteString, TreeNode } from '@rkt/appc';
import { BLOCK_SIZE, DIRENT_SIZE } from './format.ts';

/*
 * A directory is a row of blocks. Each holds fixed-size entries and then their names without terminators; the first
 * entry's name offset tells how many entries there are. Names ascend within and across blocks: lookups are binary.
 */

/** What an entry needs to know of the inode it names. */
export interface DirentTarget {
  readonly number: number;
  readonly kind: TreeNode['kind'];
}

/** Bytes of a directory: whole blocks and the used part of the last. `names` are sorted and not empty. */
export function directorySize(names: readonly ByteString[]): number {
  let blocks = 0;
  let used = 0;
  for (const name of names) {
    const size = DIRENT_SIZE + name.length;
    if (used + size > BLOCK_SIZE) {
      blocks += 1;
      used = 0;
    }
    used += size;
  }
  return blocks * BLOCK_SIZE + used;
}

/** Where the last, possibly inline, block goes and where the others do. */
export interface DirectoryPlace {
  /** Offset in the image of block 0. */
  readonly blocks: number;
  /** Offset in the image of the last block. */
  readonly lastBlock: number;
}

/** Writes all blocks of a directory into a zeroed image. */
export function writeDirectory(
  image: Buffer,
  place: DirectoryPlace,
  names: readonly ByteString[],
  targets: (index: number) => DirentTarget,
): void {
  let written = 0;
  for (let first = 0; first < names.length; written += 1) {
    const end = blockEnd(names, first);
    const offset = end === names.length ? place.lastBlock : place.blocks + written * BLOCK_SIZE;
    writeBlock(image.subarray(offset, offset + BLOCK_SIZE), names.slice(first, end), (index) => targets(first + index));
    first = end;
  }
}

/** Index after the last name that shares a block with the name at `first`. */
function blockEnd(names: readonly ByteString[], first: number): number {
  let used = 0;
  let at = first;
  for (; at < names.length; at += 1) {
    used += DIRENT_SIZE + (names[at]?.length ?? 0);
    if (used > BLOCK_SIZE) break;
  }
  return at;
}

function writeBlock(block: Buffer, names: readonly ByteString[], targets: (index: number) => DirentTarget): void {
  let nameOffset = names.length * DIRENT_SIZE;
  names.forEach((name, index) => {
    const target = targets(index);
    const at = index * DIRENT_SIZE;
    // Inode numbers are offsets / 32 of an image below 1 GiB: the upper half of the 64 bits stays zero.
    block.writeUInt32LE(target.number, at);
    block.writeUInt16LE(nameOffset, at + 8);
    block[at + 10] = FILE_TYPES[target.kind];
    block.write(name, nameOffset, 'latin1');
    nameOffset += name.length;
  });
}

const FILE_TYPES: Readonly<Record<TreeNode['kind'], number>> = {
  file: 1,
  directory: 2,
  'character-device': 3,
  'block-device': 4,
  fifo: 5,
  symlink: 7,
};
