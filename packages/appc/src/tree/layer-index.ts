// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from './byte-string.ts';

/** A contiguous run of file content: where it stands in the layer tar and where in the file. Lengths and offsets in bytes. */
export interface Extent {
  readonly fileOffset: number;
  /** Offset in the uncompressed layer tar. Always a multiple of 512 for the first extent of a non-sparse file. */
  readonly tarOffset: number;
  readonly length: number;
}

/** What every entry states about itself. */
export interface EntryAttributes {
  /** Permission bits with setuid, setgid and sticky (0o7777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch, may be negative. */
  readonly mtime: number;
  /** 0 to 999,999,999. */
  readonly mtimeNanoseconds: number;
  /** Extended attributes in the order of the archive; absent when there are none. Values are bytes. */
  readonly xattrs?: ReadonlyMap<ByteString, ByteString>;
}

/** What every entry of a layer has. */
export interface EntryBase extends EntryAttributes {
  /** Relative to the root, no leading or trailing slash, no `.` or `..` component; `''` is the root itself. */
  readonly path: ByteString;
  /** Offset of the entry's (first) header block in the tar: the order of entries, and unique in a layer. */
  readonly headerOffset: number;
}

export interface FileEntry extends EntryBase {
  readonly kind: 'file';
  readonly size: number;
  /** Empty for an empty file; holes of sparse files are simply not covered. Sorted by `fileOffset`. */
  readonly extents: readonly Extent[];
}
export interface DirectoryEntry extends EntryBase {
  readonly kind: 'directory';
}
export interface SymlinkEntry extends EntryBase {
  readonly kind: 'symlink';
  readonly target: ByteString;
}
export interface HardlinkEntry extends EntryBase {
  readonly kind: 'hardlink';
  /** Same form as `path`: relative to the root, cleaned. */
  readonly target: ByteString;
}
export interface DeviceEntry extends EntryBase {
  readonly kind: 'character-device' | 'block-device';
  readonly major: number;
  readonly minor: number;
}
export interface FifoEntry extends EntryBase {
  readonly kind: 'fifo';
}

/** One entry of a layer tar, in archive order, names cleaned and checked. Whiteout markers are still ordinary file entries here. */
export type LayerEntry = FileEntry | DirectoryEntry | SymlinkEntry | HardlinkEntry | DeviceEntry | FifoEntry;

/** Everything the tree needs to know of a layer tar without reading it again. */
export interface LayerEntries {
  /** Size of the whole uncompressed tar in bytes. */
  readonly size: number;
  /** In archive order. Looked at once, but twice by whoever says so: then they can be iterated over again. */
  readonly entries: Iterable<LayerEntry>;
}

/** The same, all of it in memory. */
export interface LayerIndex extends LayerEntries {
  readonly entries: readonly LayerEntry[];
}
