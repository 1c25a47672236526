// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';
import type { ByteString } from '../tree/byte-string.ts';
import type { FileEntry, LayerEntry, LayerIndex } from '../tree/layer-index.ts';
import { defaultLayerLimits, type LayerLimits } from '../tree/layer-limits.ts';

/** An ACI taken apart: where its manifest is, and its root filesystem as a layer whose content is in the ACI's tar. */
export interface SplitAci {
  /** A file with exactly one extent. */
  readonly manifest: FileEntry;
  readonly rootfs: LayerIndex;
}

const ROOTFS = 'rootfs';

/** What to index an ACI's tar with: as for a layer, but `rootfs/` precedes every path. */
export const aciLayerLimits: LayerLimits = {
  ...defaultLayerLimits,
  maxPathBytes: defaultLayerLimits.maxPathBytes + ROOTFS.length + 1,
};

/**
 * Takes the index of an ACI's tar apart (appc spec 0.8.11, "Image Layout"), so that the ACI can be kept as one layer.
 * Index it with {@link aciLayerLimits}.
 *
 * @throws AppcError `ERR_RKT_APPC_ACI_LAYOUT`: no manifest or root filesystem, anything else at the top, a path twice, or
 * a hard link out of the root filesystem.
 */
export function splitAciIndex(index: LayerIndex): SplitAci {
  let manifest: FileEntry | undefined;
  const seen = new Set<ByteString>();
  const entries: LayerEntry[] = [];
  for (const entry of index.entries) {
    if (seen.has(entry.path)) throw badLayout(`ACI holds ${quoteUntrusted(entry.path)} twice`, entry);
    seen.add(entry.path);
    if (entry.path === 'manifest') manifest = checkedManifest(entry);
    else if (entry.path === ROOTFS || entry.path.startsWith(`${ROOTFS}/`)) entries.push(rerooted(entry));
    // Archives made of a whole directory begin with an entry for the directory itself.
    else if (entry.path !== '')
      throw badLayout(`ACI holds ${quoteUntrusted(entry.path)} beside manifest and rootfs`, entry);
  }
  if (manifest === undefined) throw new AppcError('ERR_RKT_APPC_ACI_LAYOUT', 'ACI holds no manifest');
  if (entries.length === 0) throw new AppcError('ERR_RKT_APPC_ACI_LAYOUT', 'ACI holds no rootfs');
  return { manifest, rootfs: { size: index.size, entries } };
}

function checkedManifest(entry: LayerEntry): FileEntry {
  if (entry.kind !== 'file') throw badLayout(`manifest of an ACI must be a file, got a ${entry.kind}`, entry);
  const [extent] = entry.extents;
  if (entry.extents.length !== 1 || extent?.length !== entry.size) {
    throw badLayout('manifest of an ACI is empty or sparse', entry);
  }
  return entry;
}

function rerooted(entry: LayerEntry): LayerEntry {
  const path = entry.path.slice(ROOTFS.length + 1);
  if (path === '' && entry.kind !== 'directory') {
    throw badLayout(`rootfs of an ACI must be a directory, got a ${entry.kind}`, entry);
  }
  if (entry.kind !== 'hardlink') return { ...entry, path };
  if (!entry.target.startsWith(`${ROOTFS}/`)) {
    throw badLayout(
      `hard link ${quoteUntrusted(entry.path)} leaves the rootfs: ${quoteUntrusted(entry.target)}`,
      entry,
    );
  }
  return { ...entry, path, target: entry.target.slice(ROOTFS.length + 1) };
}

function badLayout(message: string, entry: LayerEntry): AppcError {
  return new AppcError('ERR_RKT_APPC_ACI_LAYOUT', message, { path: entry.path, offset: entry.headerOffset });
}
