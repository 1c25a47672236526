// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';
import type { ByteString } from './byte-string.ts';
import type { DirectoryNode, FileTree, Origin, TreeLayer, TreeNode } from './file-tree.ts';
import { foresee, type LayerForesight } from './layer-foresight.ts';
import type { LayerEntries, LayerEntry } from './layer-index.ts';
import {
  addName,
  type Directory,
  directoryLink,
  findInLayer,
  forgetLeaf,
  type LayerTree,
  type Leaf,
  type LeafEntry,
  leafNode,
  MAX_IMPLIED_DIRECTORIES,
  type PendingLink,
  resolveLayer,
  type Slot,
} from './layer-tree.ts';
import { dropUnlisted, type ShowsPath } from './path-whitelist.ts';

/** A layer by the digest of its tar and its index. */
export interface IndexedLayer {
  /** `sha256:<64 hex>` of the uncompressed tar. */
  readonly diffId: string;
  readonly index: LayerEntries;
  /** Set for the files of an ACI, which know no whiteouts: a name that looks like one is a name. @default false */
  readonly plainNames?: boolean;
  /** What the layer may contribute. @default everything */
  readonly shows?: ShowsPath;
}

/** A node and all the names it has in the finished tree, in no particular order. A directory comes without children. */
export interface PlacedNode {
  readonly node: TreeNode;
  readonly names: readonly ByteString[];
}

/** What a layer contributes to the tree. */
export interface PlacedLayer {
  /**
   * By header offset. Where no tree is kept they are made while they are iterated over, for which the entries of the layer are
   * looked at again.
   */
  readonly nodes: Iterable<PlacedNode>;
  /** How many nodes, from the first one on, are just what was foreseen. */
  foreseen(foresight: LayerForesight): number;
  /**
   * Keeps of the layer only that its names are taken, which is all that lower layers need to know. To be called when `nodes`
   * has been looked at for the last time; there is no {@link LayerMerger.finish} afterwards.
   */
  forget(): void;
}

/** Merges layers from the top one down, so that what a layer contributes is final as soon as it has been added. */
export interface LayerMerger {
  /** Adds the next lower layer. */
  addLayer(layer: IndexedLayer): PlacedLayer;
  /** Of the layer that {@link addLayer} takes next. */
  foresee(): LayerForesight;
  /** To be called after the base layer. */
  finish(): FileTree;
  /** As {@link finish}, without making a tree that is nobody's but the caller's: for a look at its directories. */
  finishedRoot(): AnyDirectory;
}

/** A directory of a finished tree, or of the one being merged. */
export interface AnyDirectory {
  readonly kind: 'directory';
  readonly origin: Origin | undefined;
  readonly children: ReadonlyMap<ByteString, AnyDirectory | { readonly kind: Exclude<AnyKind, 'directory'> }>;
}

type AnyKind = TreeNode['kind'] | Slot['kind'];

export interface LayerMergerOptions {
  /** False for whoever looks at nodes as layers are added, and asks for no {@link LayerMerger.finish}. @default true */
  readonly keepsTree?: boolean;
}

/** @throws RangeError if more or fewer than `layerCount` layers are added. `addLayer` throws as `mergeLayers` does. */
export function createLayerMerger(layerCount: number, options: LayerMergerOptions = {}): LayerMerger {
  return new TopDownMerger(layerCount, options);
}

/** A directory of the tree so far and the one of the next lower layer at the same path. */
interface DirectoryPair {
  readonly upper: Directory;
  readonly lower: Directory;
  readonly path: ByteString;
}

class TopDownMerger implements LayerMerger {
  /** Top layer first. */
  readonly #layers: TreeLayer[] = [];
  readonly #layerCount: number;
  #root: Directory | undefined;
  /** Whether there will be a tree of all nodes. */
  #keepsTree: boolean;
  #impliedLeft = MAX_IMPLIED_DIRECTORIES;
  /** Hard links that look for their target in the layers to come, by target: those of one target have one fate. */
  readonly #pending = new Map<ByteString, PendingLink[]>();

  constructor(layerCount: number, { keepsTree = true }: LayerMergerOptions) {
    this.#layerCount = layerCount;
    this.#keepsTree = keepsTree;
  }

  addLayer(layer: IndexedLayer): PlacedLayer {
    const number = this.#layerCount - this.#layers.length - 1;
    if (number < 0) throw new RangeError(`more than ${this.#layerCount} layers were added`);
    this.#layers.push({ diffId: layer.diffId, size: layer.index.size });
    const { plainNames = false } = layer;
    const keepsNodes = this.#keepsTree;
    const lower = resolveLayer(layer.index, { layer: number, maxImplied: this.#impliedLeft, plainNames, keepsNodes });
    this.#impliedLeft -= lower.implied;
    const { root, links } = lower;
    // Before the merge: it adds lower layers to these directories, and targets are sought in the layer as it is.
    this.#resolvePending(root);
    for (const link of links) this.#await(link.target, link);
    if (layer.shows !== undefined) dropUnlisted(root, layer.shows);
    if (this.#root === undefined) {
      this.#root = root;
      this.#adopt(root, '');
    } else this.#merge(this.#root, root);
    if (number === 0) this.#refuseDangling();
    const { entries } = layer.index;
    return {
      nodes: keepsNodes ? keptNodes(lower) : { [Symbol.iterator]: () => nodesOf(entries, lower, number) },
      foreseen: ({ headerOffsets }) => agreement(lower, headerOffsets),
      forget: () => this.#forget(lower),
    };
  }

  foresee(): LayerForesight {
    const above = { root: this.#root, linksTo: (path: ByteString) => this.#pending.has(path) };
    return foresee(above, this.#layerCount - this.#layers.length - 1);
  }

  finish(): FileTree {
    if (!this.#keepsTree) throw new TypeError('there is no tree of layers that are not kept');
    const root = finishedTree(this.finishedRoot());
    return { layers: this.#layers.toReversed(), root };
  }

  finishedRoot(): Directory {
    if (this.#layers.length !== this.#layerCount) {
      throw new RangeError(`${this.#layers.length} of ${this.#layerCount} layers were added`);
    }
    return this.#root ?? resolveLayer({ size: 0, entries: [] }, { layer: 0 }).root;
  }

  #forget({ stated }: LayerTree): void {
    for (const slot of stated) if (slot.kind === 'leaf') forgetLeaf(slot);
    this.#keepsTree = false;
  }

  #await(target: ByteString, link: PendingLink): void {
    const waiting = this.#pending.get(target);
    if (waiting === undefined) this.#pending.set(target, [link]);
    else waiting.push(link);
  }

  #resolvePending(root: Directory): void {
    const found: { readonly links: readonly PendingLink[]; readonly slot: Slot }[] = [];
    for (const [target, links] of this.#pending) {
      const finding = findInLayer(root, target);
      if (finding.state === 'hidden') throw danglingLink(links[0], target);
      if (finding.state !== 'found') continue;
      found.push({ links, slot: finding.slot });
      this.#pending.delete(target);
    }
    // Afterwards: a link to a link begins to wait for the layers below, also where the same name was found in this one.
    for (const { links, slot } of found) for (const link of links) this.#resolve(link, slot);
  }

  #resolve(link: PendingLink, slot: Slot): void {
    if (slot.kind === 'directory') throw directoryLink(link.path, link.target);
    if (slot.kind === 'link') {
      // A link to a link: from here on both look for the same thing.
      this.#await(slot.target, link);
      return;
    }
    link.leaf = slot;
    for (const name of link.names) addName(slot, name);
  }

  #refuseDangling(): void {
    for (const [target, links] of this.#pending) throw danglingLink(links[0], target);
  }

  #merge(upperRoot: Directory, lowerRoot: Directory): void {
    const work: DirectoryPair[] = [{ upper: upperRoot, lower: lowerRoot, path: '' }];
    for (let pair = work.pop(); pair !== undefined; pair = work.pop()) {
      const { upper, lower, path } = pair;
      this.#inheritAttributes(upper, lower, path);
      if (upper.opaque) continue;
      for (const [name, slot] of lower.children) {
        if (upper.hidden.has(name)) continue;
        const below = this.#mergeChild(pair, name, slot);
        if (below !== undefined) work.push(below);
      }
      for (const name of lower.hidden) upper.hidden.add(name);
      upper.opaque = lower.opaque;
    }
  }

  /** Brings one name of the lower directory in; gives the two directories to be merged next if both have one there. */
  #mergeChild({ upper, path }: DirectoryPair, name: ByteString, slot: Slot): DirectoryPair | undefined {
    const existing = upper.children.get(name);
    if (existing === undefined) {
      upper.children.set(name, slot);
      this.#adopt(slot, joined(path, name));
      return undefined;
    }
    if (existing.kind !== 'directory') return undefined;
    if (slot.kind === 'directory') return { upper: existing, lower: slot, path: joined(path, name) };
    // What is below this layer's file does not show through it, although the file itself is replaced.
    upper.hidden.add(name);
    return undefined;
  }

  #inheritAttributes(upper: Directory, lower: Directory, path: ByteString): void {
    if (upper.origin !== undefined || lower.origin === undefined) return;
    upper.attributes = lower.attributes;
    upper.origin = lower.origin;
    // Of the two, the lower one is among what its layer stated.
    lower.path = path;
  }

  /** Notes the names of everything in a subtree that has become part of the tree. */
  #adopt(slot: Slot, path: ByteString): void {
    if (slot.kind !== 'directory') {
      addName(slot, path);
      return;
    }
    const work: { directory: Directory; path: ByteString }[] = [{ directory: slot, path }];
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const { directory } = next;
      if (directory.origin !== undefined) directory.path = next.path;
      for (const [name, child] of directory.children) {
        if (child.kind === 'directory') work.push({ directory: child, path: joined(next.path, name) });
        else addName(child, isPath(child.path, next.path, name) ? child.path : joined(next.path, name));
      }
    }
  }
}

/** How many of the nodes have, one after the other, these header offsets and no name but the one they were stated with. */
function agreement({ stated, statedAt }: LayerTree, headerOffsets: readonly number[]): number {
  let agreed = 0;
  for (const [index, slot] of stated.entries()) {
    const headerOffset = statedAt[index];
    if (!isPlaced(slot, headerOffset)) continue;
    if (agreed === headerOffsets.length || headerOffset !== headerOffsets[agreed] || !hasOwnName(slot)) break;
    agreed += 1;
  }
  return agreed;
}

function hasOwnName(slot: Leaf | Directory): boolean {
  return slot.kind === 'directory' || (slot.names.length === 1 && slot.names[0] === slot.path);
}

/** Whether the tree has what an entry stated. A directory stated twice stands where it was stated last. */
function isPlaced(slot: Leaf | Directory, headerOffset: number | undefined): boolean {
  if (slot.kind === 'leaf') return slot.names.length > 0;
  return slot.path !== undefined && slot.origin?.headerOffset === headerOffset;
}

/** What a layer stated and the tree has, in archive order. */
function keptNodes({ stated, statedAt }: LayerTree): readonly PlacedNode[] {
  return stated
    .filter((slot, index) => isPlaced(slot, statedAt[index]))
    .map((slot) => (slot.kind === 'leaf' ? slot : placedDirectory(slot)));
}

/** The same, made of the entries, which are those the tree was made of. */
function* nodesOf(
  entries: Iterable<LayerEntry>,
  { stated, statedAt }: LayerTree,
  layer: number,
): Generator<PlacedNode> {
  let index = 0;
  for (const entry of entries) {
    const { headerOffset } = entry;
    // Hard links and whiteouts state nothing.
    if (headerOffset !== statedAt[index]) continue;
    const slot = stated[index];
    index += 1;
    if (slot === undefined || !isPlaced(slot, headerOffset)) continue;
    if (slot.kind === 'directory') yield placedDirectory(slot);
    else if (isLeafEntry(entry)) yield { node: leafNode(entry, { layer, headerOffset }, entry), names: slot.names };
  }
  // A generator is empty the second time: what the layer contributes would be missing, and nobody told.
  if (index < stated.length) throw new TypeError('the entries of a layer cannot be iterated over twice');
}

function isLeafEntry(entry: LayerEntry): entry is LeafEntry {
  return entry.kind !== 'directory' && entry.kind !== 'hardlink';
}

function placedDirectory({ attributes, origin, path = '' }: Directory): PlacedNode {
  return { node: { kind: 'directory', attributes, origin, children: new Map() }, names: [path] };
}

/** Whether a path is that of a name in a directory, without making the path of every file a second time. */
function isPath(path: ByteString, directory: ByteString, name: ByteString): boolean {
  if (directory === '') return path === name;
  const { length } = directory;
  return (
    path.length === length + 1 + name.length &&
    path[length] === '/' &&
    path.startsWith(directory) &&
    path.endsWith(name)
  );
}

function joined(path: ByteString, name: ByteString): ByteString {
  return path === '' ? name : `${path}/${name}`;
}

function danglingLink(link: PendingLink | undefined, target: ByteString): AppcError {
  const path = link?.path ?? '';
  return new AppcError(
    'ERR_RKT_APPC_HARDLINK',
    `hard link ${quoteUntrusted(path)} points at nothing: ${quoteUntrusted(target)} is in no layer below`,
    { path },
  );
}

function finishedTree(root: Directory): DirectoryNode {
  const finished = finishedDirectory(root);
  const work = [{ from: root, to: finished.children }];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    for (const [name, slot] of next.from.children) {
      if (slot.kind === 'directory') {
        const directory = finishedDirectory(slot);
        next.to.set(name, directory.node);
        work.push({ from: slot, to: directory.children });
      } else {
        const leaf = slot.kind === 'leaf' ? slot : slot.leaf;
        if (leaf !== undefined) next.to.set(name, leaf.node);
      }
    }
  }
  return finished.node;
}

function finishedDirectory(directory: Directory): { node: DirectoryNode; children: Map<ByteString, TreeNode> } {
  const children = new Map<ByteString, TreeNode>();
  const { attributes, origin } = directory;
  return { node: { kind: 'directory', attributes, origin, children }, children };
}
