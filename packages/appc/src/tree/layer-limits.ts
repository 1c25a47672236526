// SPDX-License-Identifier: Apache-2.0

/** What one layer may cost its reader. A layer beyond a limit is refused with `ERR_RKT_APPC_LIMIT`. */
export interface LayerLimits {
  /** Entries in one layer. @default 1_000_000 */
  readonly maxEntries: number;
  /** Bytes of one PAX header, GNU long name or PAX sparse map. @default 1_048_576 */
  readonly maxExtensionBytes: number;
  /** Bytes of a path, but for the slash at the end of a directory's, or of a link target. @default 4096 */
  readonly maxPathBytes: number;
  /** Bytes of all extended attribute names and values of one entry. @default 65_536 */
  readonly maxXattrBytes: number;
  /** Bytes of all names, targets and attributes of a layer together: what its index holds in memory. @default 268_435_456 */
  readonly maxMetadataBytes: number;
  /** Extents of all sparse files of a layer. @default 1_000_000 */
  readonly maxSparseExtents: number;
  /** Bytes of all holes of a layer: they cost no tar, but every byte is hashed into the image ID. @default 17_179_869_184 */
  readonly maxHoleBytes: number;
}

/** Bytes of the uncompressed tar of one layer, or ACI: one may hold a file of 16 GiB. */
export const maxTarBytes: number = 32 * 1024 ** 3;

/** Seconds from 1970 either way that a file's time may be: some 71 million years, and exact when written as a zigzag number. */
export const maxEntrySeconds: number = 2 ** 51;

export const defaultLayerLimits: LayerLimits = {
  maxEntries: 1_000_000,
  maxExtensionBytes: 1024 * 1024,
  maxPathBytes: 4096,
  maxXattrBytes: 64 * 1024,
  maxMetadataBytes: 256 * 1024 * 1024,
  maxSparseExtents: 1_000_000,
  maxHoleBytes: 16 * 1024 ** 3,
};
