// SPDX-License-Identifier: Apache-2.0

import type { LayerIndex } from '../tree/layer-index.ts';
import type { IndexedLayer } from '../tree/layer-merger.ts';
import { type ShowsPath, whitelistedPaths } from '../tree/path-whitelist.ts';
import { splitAciIndex } from './read-aci.ts';

/** An ACI among the layers of an image, with the layers of its dependencies below it. */
export interface StackedAci {
  /** Which layer it is. */
  readonly position: number;
  /** The lowest layer of its dependencies; its own position without any. */
  readonly first: number;
  /** Of its manifest: what of the layers from `first` to `position` the image is to have. */
  readonly pathWhitelist?: readonly string[] | undefined;
}

/** A layer by the digest of its tar and the whole of its index; of an ACI, the index of the archive as it is. */
export interface StackableLayer {
  readonly diffId: string;
  readonly index: LayerIndex;
}

/**
 * The layers `mergeLayers` is to be given for an image some of whose layers are ACIs (appc spec 0.8.11, "Image Manifest
 * Schema"): dependencies in the order they are named, each upon the one before it, the image itself on top of them. The
 * files of an ACI are those below `rootfs`, and its whitelist counts for itself and everything it depends on.
 *
 * @throws AppcError `ERR_RKT_APPC_ACI_LAYOUT`, `ERR_RKT_APPC_PATH`, `ERR_RKT_APPC_LIMIT`
 */
export function stackAcis(layers: readonly StackableLayer[], acis: readonly StackedAci[]): readonly IndexedLayer[] {
  const filters = acis.map(({ first, position, pathWhitelist = [] }) => ({
    first,
    position,
    shows: whitelistedPaths(pathWhitelist),
  }));
  return layers.map(({ diffId, index }, position) => {
    const isAci = acis.some((aci) => aci.position === position);
    const shows = allOf(
      filters.flatMap((filter) =>
        filter.shows !== undefined && filter.first <= position && position <= filter.position ? [filter.shows] : [],
      ),
    );
    return {
      diffId,
      index: isAci ? splitAciIndex(index).rootfs : index,
      plainNames: isAci,
      ...(shows === undefined ? {} : { shows }),
    };
  });
}

function allOf(filters: readonly ShowsPath[]): ShowsPath | undefined {
  return filters.length === 0 ? undefined : (path) => filters.every((shows) => shows(path));
}
