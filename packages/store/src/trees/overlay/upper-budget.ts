// SPDX-License-Identifier: Apache-2.0
import { type ByteString, defaultLayerLimits, type LayerLimits, maxEntrySeconds } from '@rkt/appc';
import { treeError } from '../tree-error.ts';

/** How large what a pod wrote may be: what is exported is to be fetched again, and fetching has these limits. */
export interface UpperBudget {
  /** For every name there is, as soon as it is known. Throws TREE_UNSUPPORTED. */
  name(path: ByteString): void;
  /** For everything that has a name, once: bytes of its link target and of its extended attributes. Throws TREE_UNSUPPORTED. */
  texts(path: ByteString, targetBytes: number, xattrBytes: number): void;
  /** When it was changed, seconds since the epoch. Throws TREE_UNSUPPORTED. */
  time(path: ByteString, mtime: number): void;
  /** Of a file: how long it is, and how much of that is on the disk, in bytes. Throws TREE_UNSUPPORTED. */
  content(path: ByteString, size: bigint, allocated: bigint): void;
}

/** @param limits of one layer @default those of fetching */
export function createUpperBudget(limits: LayerLimits = defaultLayerLimits): UpperBudget {
  const { maxEntries, maxPathBytes, maxXattrBytes, maxMetadataBytes, maxHoleBytes } = limits;
  let entries = 0;
  let metadata = 0;
  let holes = 0n;
  const refuseBeyond = (most: number, value: number | bigint, what: string, entry: ByteString): void => {
    if (value <= most) return;
    throw treeError('ERR_RKT_STORE_TREE_UNSUPPORTED', `what the pod wrote has ${what}, more than ${most}`, { entry });
  };
  return {
    name: (path) => {
      entries += 1;
      metadata += path.length;
      refuseBeyond(maxEntries, entries, `${entries} files`, path);
      refuseBeyond(maxPathBytes, path.length, `a path of ${path.length} bytes`, path);
      refuseBeyond(maxMetadataBytes, metadata, `${metadata} bytes of names and attributes`, path);
    },
    texts: (path, targetBytes, xattrBytes) => {
      metadata += targetBytes + xattrBytes;
      refuseBeyond(maxXattrBytes, xattrBytes, `extended attributes of ${xattrBytes} bytes`, path);
      refuseBeyond(maxMetadataBytes, metadata, `${metadata} bytes of names and attributes`, path);
    },
    time: (path, mtime) => refuseBeyond(maxEntrySeconds, Math.abs(mtime), `a time of ${mtime} seconds`, path),
    content: (path, size, allocated) => {
      if (size > allocated) holes += size - allocated;
      refuseBeyond(maxHoleBytes, holes, `holes of ${holes} bytes in sparse files`, path);
    },
  };
}
