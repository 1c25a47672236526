// SPDX-License-Identifier: Apache-2.0

/*
 * The EROFS on-disk format as far as it is written here: uncompressed, block size 512, content in other devices.
 * Names follow the kernel's documentation (Documentation/filesystems/erofs.rst); all numbers are little-endian.
 */

export const BLOCK_BITS = 9;
/** Tar content is aligned to 512 bytes, so blocks of that size can point at it. */
export const BLOCK_SIZE: number = 1 << BLOCK_BITS;

export const SUPERBLOCK_OFFSET = 1024;
export const SUPERBLOCK_SIZE = 128;
export const SUPERBLOCK_MAGIC = 0xe0f5e1e2;
/** `checksum` is a CRC32C of the superblock's block. */
export const COMPATIBLE_CHECKSUM = 0x1;
/** Inodes hold mtime (not ctime). */
export const COMPATIBLE_MTIME = 0x2;
export const INCOMPATIBLE_CHUNKED_FILE = 0x4;
export const INCOMPATIBLE_DEVICE_TABLE = 0x8;

export const DEVICE_SLOT_SIZE = 128;
export const DEVICE_TAG_SIZE = 64;

/** An inode's number is its offset in units of this. */
export const INODE_SLOT_SIZE = 32;
export const COMPACT_INODE_SIZE = 32;
export const EXTENDED_INODE_SIZE = 64;

export const LAYOUT_FLAT_PLAIN = 0;
export const LAYOUT_FLAT_INLINE = 2;
export const LAYOUT_CHUNK_BASED = 4;

/** Chunk maps hold 8-byte indexes (with a device number) instead of bare block addresses. */
export const CHUNK_FORMAT_INDEXES = 0x20;
export const CHUNK_INDEX_SIZE = 8;
/** The largest power of two of blocks a chunk may have. */
export const MAX_CHUNK_BITS = 31;
/** A chunk that is a hole. */
export const NULL_BLOCK = 0xffffffff;

export const DIRENT_SIZE = 12;

export const XATTR_HEADER_SIZE = 12;
export const XATTR_ENTRY_SIZE = 4;
