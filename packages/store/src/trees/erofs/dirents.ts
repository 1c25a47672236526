// SPDX-License-Identifier: Apache-2.0
import type { ByteString, TreeNode } from '@rkt/appc';
import type { Directory, Inode } from '../inventory.ts';
import { BLOCK_SIZE, DIRENT_SIZE } from './format.ts';

/*
 * A directory is a row of blocks. Each holds fixed-size entries and then their names without terminators; the first
 * entry's name offset tells how many entries there are. Names ascend within and across blocks: lookups are binary.
 */

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
  directory: Directory,
  numberOf: (inode: Inode) => number,
): void {
  const { names } = directory;
  let block = place.blocks;
  for (let first = 0; first < names.length; block += BLOCK_SIZE) {
    const end = blockEnd(names, first);
    const start = end === names.length ? place.lastBlock : block;
    let nameOffset = (end - first) * DIRENT_SIZE;
    for (let at = start; first < end; first += 1, at += DIRENT_SIZE) {
      const name = names[first] ?? '';
      const inode = directory.inodes[first];
      if (inode === undefined) throw new RangeError(`directory entry ${first} leads nowhere`);
      // Inode numbers are offsets / 32 in an image below 1 GiB: the upper half of the 64 bits stays zero.
      image.writeUInt32LE(numberOf(inode), at);
      image.writeUInt16LE(nameOffset, at + 8);
      image[at + 10] = FILE_TYPES[inode.node.kind];
      image.write(name, start + nameOffset, 'latin1');
      nameOffset += name.length;
    }
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

const FILE_TYPES: Readonly<Record<TreeNode['kind'], number>> = {
  file: 1,
  directory: 2,
  'character-device': 3,
  'block-device': 4,
  fifo: 5,
  symlink: 7,
};
