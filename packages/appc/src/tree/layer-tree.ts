// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';
import type { ByteString } from './byte-string.ts';
import type { DirectoryNode, Origin, TreeNode } from './file-tree.ts';
import type { EntryAttributes, HardlinkEntry, LayerEntries, LayerEntry } from './layer-index.ts';

/** Directories nobody states. */
export const IMPLIED_ATTRIBUTES: EntryAttributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };

/** Shared and never changed: most things have one name, and an array that grows from nothing makes room for seventeen. */
const noNames: ByteString[] = [];
Object.freeze(noNames);

/** An entry that makes a node of its own, and no directory. */
export type LeafEntry = Exclude<LayerEntry, { kind: 'directory' | 'hardlink' }>;

/** What stands at a path of its layer, with the visible names found for it so far; see {@link addName}. */
export interface Named {
  path: ByteString;
  names: ByteString[];
}

/** A node that is no directory. */
export interface Leaf extends Named {
  readonly kind: 'leaf';
  node: Exclude<TreeNode, DirectoryNode>;
}

/** Stands for every node that is not kept. */
const FORGOTTEN: Leaf['node'] = { kind: 'fifo', attributes: IMPLIED_ATTRIBUTES, origin: undefined };

/** Leaves nothing of a leaf but that there is one: three quarters of the memory it takes. */
export function forgetLeaf(leaf: Leaf): void {
  leaf.node = FORGOTTEN;
  leaf.path = '';
  leaf.names = noNames;
}

/**
 * A hard link whose target no earlier entry of its layer made: it names something in the layers below. Its names are those
 * of hard links to it, too.
 */
export interface PendingLink extends Named {
  readonly kind: 'link';
  readonly target: ByteString;
  leaf: Leaf | undefined;
}

/** A directory while layers are merged. `origin` is undefined while no layer states it. */
export interface Directory {
  readonly kind: 'directory';
  attributes: EntryAttributes;
  origin: Origin | undefined;
  readonly children: Map<ByteString, Slot>;
  /** Names that lower layers cannot contribute: whited out, or replaced by something that is no directory. */
  readonly hidden: Set<ByteString>;
  /** Lower layers contribute no children at all. */
  opaque: boolean;
  /** Where it is in the tree, once it is there with attributes some layer states. */
  path: ByteString | undefined;
}

export function addName(named: Named, name: ByteString): void {
  if (named.names.length === 0) named.names = [name];
  else named.names.push(name);
}

export type Slot = Leaf | PendingLink | Directory;

/** One layer resolved by itself: what it states, and its whiteouts, which act on lower layers only. */
export interface LayerTree {
  readonly root: Directory;
  readonly links: readonly PendingLink[];
  /** What its entries stated, in archive order, also what later ones replaced. */
  readonly stated: readonly (Leaf | Directory)[];
  /** Header offsets of those entries. A list of its own: an object for each of a million entries has its price. */
  readonly statedAt: readonly number[];
  /** Directories made because a path goes through them and stated by no entry of the layer. */
  readonly implied: number;
}

/** Deepest directory a tree may have; what fits in a path of 4096 bytes. */
const MAX_DEPTH = 2048;

/**
 * Directories that no entry states, in all layers of a tree. One path of 4096 bytes can imply two thousand of them, so the
 * number of entries does not bound what a few megabytes of tar cost in memory.
 */
export const MAX_IMPLIED_DIRECTORIES = 250_000;

const WHITEOUT = '.wh.';
const AUFS = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

export interface ResolveOptions {
  /** Its number among the layers of the tree. */
  readonly layer: number;
  /** @default 250,000 */
  readonly maxImplied?: number;
  /** Names that look like whiteouts are names. @default false */
  readonly plainNames?: boolean;
  /** False leaves out the nodes of leaves, half of what a layer takes: whoever wants them makes them of the entries again. @default true */
  readonly keepsNodes?: boolean;
}

/**
 * Applies the entries of a layer in archive order to an empty tree: the last entry of a name wins, a directory entry
 * only restates a directory, anything else replaces what stood there. Where whiteouts stand in the archive plays no part.
 * A parent no entry states is implied, also in place of something that is no directory.
 *
 * @throws AppcError `ERR_RKT_APPC_LIMIT` for more than `maxImplied` implied directories at any time.
 */
export function resolveLayer(index: LayerEntries, options: ResolveOptions): LayerTree {
  const resolver = new LayerResolver(options);
  for (const entry of index.entries) resolver.add(entry);
  return resolver;
}

class LayerResolver implements LayerTree {
  readonly root: Directory = impliedDirectory();
  readonly links: PendingLink[] = [];
  readonly stated: (Leaf | Directory)[] = [];
  readonly statedAt: number[] = [];
  implied = 0;
  readonly #layer: number;
  readonly #maxImplied: number;
  readonly #plainNames: boolean;
  readonly #keepsNodes: boolean;
  #lastAttributes: EntryAttributes = IMPLIED_ATTRIBUTES;
  /** The directory of the entry before: entries of one directory usually follow each other. */
  #recent: { readonly path: ByteString; readonly directory: Directory } | undefined;

  constructor({ layer, maxImplied, plainNames, keepsNodes }: ResolveOptions) {
    this.#layer = layer;
    this.#maxImplied = maxImplied ?? MAX_IMPLIED_DIRECTORIES;
    this.#plainNames = plainNames ?? false;
    this.#keepsNodes = keepsNodes ?? true;
  }

  add(entry: LayerEntry): void {
    if (entry.path === '') {
      this.#state(this.root, entry);
      return;
    }
    const [parentPath, name] = splitPath(entry.path);
    if (!this.#plainNames && isAufsBookkeeping(parentPath, name)) return;
    const parent = this.#directory(parentPath);
    if (!this.#plainNames && name.startsWith(WHITEOUT)) addWhiteout(parent, name, entry.path);
    else if (entry.kind === 'directory') this.#addDirectory(parent, name, entry);
    else this.#replace(parent, name, entry.kind === 'hardlink' ? this.#link(entry) : this.#leaf(entry));
  }

  #addDirectory(parent: Directory, name: ByteString, entry: LayerEntry): void {
    const existing = parent.children.get(name);
    if (existing?.kind === 'directory') {
      if (existing.origin === undefined) this.implied -= 1;
      this.#state(existing, entry);
      return;
    }
    const directory = impliedDirectory();
    this.#state(directory, entry);
    parent.children.set(name, directory);
  }

  #state(directory: Directory, entry: LayerEntry): void {
    directory.attributes = this.#attributes(entry);
    directory.origin = { layer: this.#layer, headerOffset: entry.headerOffset };
    this.stated.push(directory);
    this.statedAt.push(entry.headerOffset);
  }

  #replace(parent: Directory, name: ByteString, slot: Leaf | PendingLink): void {
    if (parent.children.get(name)?.kind === 'directory') this.#recent = undefined;
    parent.children.set(name, slot);
  }

  #leaf(entry: LeafEntry): Leaf {
    const leaf: Leaf = { kind: 'leaf', path: entry.path, node: this.#node(entry), names: noNames };
    this.stated.push(leaf);
    this.statedAt.push(entry.headerOffset);
    return leaf;
  }

  #node(entry: LeafEntry): Leaf['node'] {
    if (!this.#keepsNodes) return FORGOTTEN;
    return leafNode(entry, { layer: this.#layer, headerOffset: entry.headerOffset }, this.#attributes(entry));
  }

  /** Neighbours tend to have the same attributes: they share one object. */
  #attributes(entry: LayerEntry): EntryAttributes {
    if (!sameAttributes(this.#lastAttributes, entry)) this.#lastAttributes = entryAttributes(entry);
    return this.#lastAttributes;
  }

  #link(entry: HardlinkEntry): Leaf | PendingLink {
    const found = findInLayer(this.root, entry.target);
    if (found.state === 'found') {
      if (found.slot.kind === 'directory') throw directoryLink(entry.path, entry.target);
      return found.slot;
    }
    const link: PendingLink = { kind: 'link', path: entry.path, target: entry.target, names: noNames, leaf: undefined };
    this.links.push(link);
    return link;
  }

  #directory(path: ByteString): Directory {
    if (path === '') return this.root;
    if (this.#recent?.path === path) return this.#recent.directory;
    const components = path.split('/');
    if (components.length > MAX_DEPTH) {
      throw new AppcError(
        'ERR_RKT_APPC_PATH',
        `path is more than ${MAX_DEPTH} directories deep: ${quoteUntrusted(path)}`,
        { path },
      );
    }
    let directory = this.root;
    for (const component of components) directory = this.#child(directory, component, path);
    this.#recent = { path, directory };
    return directory;
  }

  #child(parent: Directory, name: ByteString, path: ByteString): Directory {
    const existing = parent.children.get(name);
    if (existing?.kind === 'directory') return existing;
    checkDirectoryName(name, path, this.#plainNames);
    this.implied += 1;
    if (this.implied > this.#maxImplied) {
      const text = `layers imply more than ${MAX_IMPLIED_DIRECTORIES} directories that none of them states`;
      throw new AppcError('ERR_RKT_APPC_LIMIT', text, { path });
    }
    const directory = impliedDirectory();
    parent.children.set(name, directory);
    return directory;
  }
}

function checkDirectoryName(name: ByteString, path: ByteString, plainNames: boolean): void {
  if (name === '' || name === '.' || name === '..') {
    throw new AppcError('ERR_RKT_APPC_PATH', `path is not clean: ${quoteUntrusted(path)}`, { path });
  }
  if (!plainNames && name.startsWith(WHITEOUT)) {
    throw new AppcError('ERR_RKT_APPC_WHITEOUT', `whiteout is used as a directory: ${quoteUntrusted(path)}`, { path });
  }
}

function impliedDirectory(): Directory {
  return {
    kind: 'directory',
    attributes: IMPLIED_ATTRIBUTES,
    origin: undefined,
    children: new Map(),
    hidden: new Set(),
    opaque: false,
    path: undefined,
  };
}

/** `.wh..wh.plnk`, `.wh..wh.aufs` and their like, or something in them: how AUFS kept its books, nothing of the image. */
function isAufsBookkeeping(parentPath: ByteString, name: ByteString): boolean {
  if (name.startsWith(AUFS)) return name !== OPAQUE;
  return parentPath.startsWith(AUFS) || parentPath.includes(`/${AUFS}`);
}

/** Whether an entry takes something of lower layers away: a whiteout or an opaque marker. */
export function isWhiteout(path: ByteString): boolean {
  const [parentPath, name] = splitPath(path);
  return name.startsWith(WHITEOUT) && !isAufsBookkeeping(parentPath, name);
}

/** Whether an entry is nothing the tree has: a whiteout, an opaque marker or AUFS's bookkeeping. */
export function isMarker(path: ByteString): boolean {
  const [parentPath, name] = splitPath(path);
  return name.startsWith(WHITEOUT) || isAufsBookkeeping(parentPath, name);
}

/** The directory of a path and the name in it. */
export function splitPath(path: ByteString): readonly [parentPath: ByteString, name: ByteString] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
}

function addWhiteout(parent: Directory, name: ByteString, path: ByteString): void {
  if (name === OPAQUE) {
    parent.opaque = true;
    return;
  }
  const hidden = name.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new AppcError('ERR_RKT_APPC_WHITEOUT', `whiteout names no file: ${quoteUntrusted(path)}`, { path });
  }
  parent.hidden.add(hidden);
}

/** The node an entry makes. */
export function leafNode(entry: LeafEntry, origin: Origin, attributes: EntryAttributes): Leaf['node'] {
  switch (entry.kind) {
    case 'file':
      return { kind: 'file', attributes, origin, size: entry.size, extents: entry.extents };
    case 'symlink':
      return { kind: 'symlink', attributes, origin, target: entry.target };
    case 'fifo':
      return { kind: 'fifo', attributes, origin };
    default:
      return { kind: entry.kind, attributes, origin, major: entry.major, minor: entry.minor };
  }
}

function sameAttributes(left: EntryAttributes, right: EntryAttributes): boolean {
  return (
    left.mtime === right.mtime &&
    left.mode === right.mode &&
    left.uid === right.uid &&
    left.gid === right.gid &&
    left.mtimeNanoseconds === right.mtimeNanoseconds &&
    left.xattrs === right.xattrs
  );
}

function entryAttributes(entry: EntryAttributes): EntryAttributes {
  const { mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = entry;
  const stated = { mode, uid, gid, mtime, mtimeNanoseconds };
  return xattrs === undefined ? stated : { ...stated, xattrs };
}

/** What one layer says of a path: it has it, it keeps lower layers from having it, or it says nothing. */
export type Finding = { readonly state: 'found'; readonly slot: Slot } | { readonly state: 'hidden' | 'unstated' };

const HIDDEN: Finding = { state: 'hidden' };
const UNSTATED: Finding = { state: 'unstated' };

/** Reads no more of the path than the layer has of it: a target may be sought in hundreds of layers that know nothing of it. */
export function findInLayer(root: Directory, path: ByteString): Finding {
  let directory = root;
  let hidden = root.opaque;
  for (let start = 0; ; ) {
    const slash = path.indexOf('/', start);
    const component = path.slice(start, slash < 0 ? path.length : slash);
    const slot = directory.children.get(component);
    hidden ||= directory.hidden.has(component);
    if (slot === undefined) return hidden ? HIDDEN : UNSTATED;
    if (slash < 0) return { state: 'found', slot };
    if (slot.kind !== 'directory') return HIDDEN;
    directory = slot;
    hidden ||= slot.opaque;
    start = slash + 1;
  }
}

export function directoryLink(path: ByteString, target: ByteString): AppcError {
  return new AppcError(
    'ERR_RKT_APPC_HARDLINK',
    `hard link ${quoteUntrusted(path)} points at a directory: ${quoteUntrusted(target)}`,
    { path },
  );
}
