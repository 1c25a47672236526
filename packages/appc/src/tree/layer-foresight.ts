// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from './byte-string.ts';
import type { TreeNode } from './file-tree.ts';
import type { LayerEntry } from './layer-index.ts';
import type { PlacedNode } from './layer-merger.ts';
import { type Directory, isMarker, leafNode, splitPath } from './layer-tree.ts';

/**
 * What the next layer will contribute, told while its entries are still on their way: true for as long as nothing later in
 * the layer concerns an entry that went before. A name stated again or a hard link does; `PlacedLayer.foreseen` tells.
 */
export interface LayerForesight {
  /** Where the nodes told of so far have their headers, in order. */
  readonly headerOffsets: readonly number[];
  /** The next entries, in archive order. Nothing is told any more once a hard link or a file with holes has come by. */
  take(entries: Iterable<LayerEntry>): PlacedNode[];
}

/** The tree of the layers above, as it concerns the one that is foreseen. */
export interface LayersAbove {
  /** Undefined for the top layer. */
  readonly root: Directory | undefined;
  /** Whether a hard link above looks for a node of this path. */
  readonly linksTo: (path: ByteString) => boolean;
}

/** `layer`: its number among the layers of the tree. */
export function foresee(above: LayersAbove, layer: number): LayerForesight {
  return new Foresight(above, layer);
}

/** What layers above have at a path: a directory, nothing at all, or something that hides whatever is below. */
type Standing = Directory | 'open' | 'closed';

class Foresight implements LayerForesight {
  readonly headerOffsets: number[] = [];
  readonly #above: LayersAbove;
  readonly #layer: number;
  #ended = false;
  /** The directory of the entry before: entries of one directory usually follow each other. */
  #recent: { readonly path: ByteString; readonly standing: Standing } | undefined;

  constructor(above: LayersAbove, layer: number) {
    this.#above = above;
    this.#layer = layer;
  }

  take(entries: Iterable<LayerEntry>): PlacedNode[] {
    const placed: PlacedNode[] = [];
    for (const entry of entries) {
      if (this.#ended || entry.kind === 'hardlink' || hasHoles(entry) || this.#above.linksTo(entry.path)) {
        this.#ended = true;
        break;
      }
      if (!this.#shows(entry)) continue;
      placed.push({ node: this.#node(entry), names: [entry.path] });
      this.headerOffsets.push(entry.headerOffset);
    }
    return placed;
  }

  #shows({ path, kind }: LayerEntry): boolean {
    const { root } = this.#above;
    if (path === '') return root?.origin === undefined;
    if (isMarker(path)) return false;
    const [parentPath, name] = splitPath(path);
    const standing = below(this.#directory(parentPath), name);
    if (standing === 'open' || standing === 'closed') return standing === 'open';
    return kind === 'directory' && standing.origin === undefined;
  }

  #directory(path: ByteString): Standing {
    if (this.#recent?.path === path) return this.#recent.standing;
    let standing: Standing = this.#above.root ?? 'open';
    if (path !== '') for (const name of path.split('/')) standing = below(standing, name);
    this.#recent = { path, standing };
    return standing;
  }

  #node(entry: Exclude<LayerEntry, { kind: 'hardlink' }>): TreeNode {
    const origin = { layer: this.#layer, headerOffset: entry.headerOffset };
    if (entry.kind !== 'directory' && entry.path !== '') return leafNode(entry, origin, entry);
    return { kind: 'directory', attributes: entry, origin, children: new Map() };
  }
}

/** Holes cost no tar: a guess that has any could be as large as an image may be, and each of its layers could have one. */
function hasHoles(entry: LayerEntry): boolean {
  return entry.kind === 'file' && entry.extents.reduce((left, { length }) => left - length, entry.size) > 0;
}

function below(directory: Standing, name: ByteString): Standing {
  if (directory === 'open' || directory === 'closed') return directory;
  if (directory.opaque || directory.hidden.has(name)) return 'closed';
  const child = directory.children.get(name);
  if (child === undefined) return 'open';
  return child.kind === 'directory' ? child : 'closed';
}
