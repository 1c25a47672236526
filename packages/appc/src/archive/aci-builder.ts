// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../tree/byte-string.ts';
import type { DirectoryNode, FileNode, TreeNode } from '../tree/file-tree.ts';
import type { LayerForesight } from '../tree/layer-foresight.ts';
import type { EntryAttributes, LayerEntry } from '../tree/layer-index.ts';
import { type AnyDirectory, createLayerMerger, type IndexedLayer, type PlacedNode } from '../tree/layer-merger.ts';
import { IMPLIED_ATTRIBUTES } from '../tree/layer-tree.ts';
import { BLOCK } from '../tree/tar-fields.ts';
import type { AciSegment } from './segment.ts';
import { createSegmentWriter, type SegmentWriter, zeroSegments } from './segment-writer.ts';
import { type TarHeader, writePadding, writeTarHeader } from './tar-header.ts';

/** Builds the ACI stream of an image while its lower layers are still on their way. */
export interface AciBuilder {
  /**
   * Adds the next layer, the top one first. The segments are the next part of the stream: what this layer contributes
   * is final, whatever is below it. They are made while they are iterated over, once, for which the entries of the layer are
   * looked at a second time.
   */
  addLayer(layer: IndexedLayer): Iterable<AciSegment>;
  /** Of the next layer, while its entries are still on their way. */
  foresee(): AciForesight;
  /** As {@link addLayer}, for the layer that was foreseen. */
  addForeseenLayer(layer: IndexedLayer, foresight: AciForesight): ForeseenLayer;
  /** After the base layer: the rest of the stream. */
  finish(): Iterable<AciSegment>;
}

/**
 * The next part of the stream before its layer is whole: a guess, which holds unless something later in the layer concerns an
 * entry that went before, and which is checked when the layer is added.
 */
export interface AciForesight {
  /** The segments the next entries of the layer, in archive order, most likely give. */
  take(entries: Iterable<LayerEntry>): Iterable<AciSegment>;
  /** Remembers what has been given so far, as a place to go on from; to be called when all of that has been iterated over. */
  mark(): void;
}

/** A layer of which a part was foreseen. */
export interface ForeseenLayer {
  /** As many marks, from the first one on, have nothing before them but what the layer does contribute. */
  readonly goodMarks: number;
  /** What follows the last of the good marks; all of the layer when there is none. */
  readonly segments: Iterable<AciSegment>;
}

export interface AciBuilderOptions {
  /** The image manifest, byte for byte. */
  readonly manifestBytes: Uint8Array;
  readonly layerCount: number;
}

/** The directory of an ACI that holds its files. */
export const ROOTFS = 'rootfs';
/** Segments made ahead of their being asked for: resuming a generator for each costs more than making it. */
const BATCH = 256;
const MANIFEST_ATTRIBUTES: EntryAttributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };

/**
 * The canonical ACI of an image, in the order that lets it be hashed from the top layer down:
 *
 * 1. `manifest`;
 * 2. nodes by the layer they come from, top to base, within a layer by header offset. A node with several names stands
 *    under the first of them by byte order; the others follow at once as hard links, in byte order. The `rootfs` directory
 *    is a node like any other. Directories no layer states are left out: a reader implies them again from what is in them;
 * 3. what no reader would imply, 0755, 0:0, at the epoch, in byte order: `rootfs`, if no layer states the root, and
 *    unstated directories that ended up empty (a whiteout implies its parent, too);
 * 4. two zero blocks.
 *
 * Holes of sparse files are written out as zeros. Equal trees and manifests give equal bytes.
 *
 * @throws AppcError (from `addLayer`) as `mergeLayers` does; RangeError for a wrong number of layers; TypeError (from the segments)
 * for entries that can be iterated over only once.
 */
export function createAciBuilder(options: AciBuilderOptions): AciBuilder {
  const { manifestBytes, layerCount } = options;
  const merger = createLayerMerger(layerCount, { keepsTree: false });
  let added = 0;
  const add = (layer: IndexedLayer, foresight?: Foresight): ForeseenLayer => {
    const { nodes, foreseen, forget } = merger.addLayer(layer);
    added += 1;
    const { goodMarks, nodesBefore } = foresight?.good(foreseen(foresight.layer)) ?? { goodMarks: 0, nodesBefore: 0 };
    const rest = nodesBefore > 0 ? without(nodes, nodesBefore) : nodes;
    const first = added === 1 && goodMarks === 0;
    return {
      goodMarks,
      segments: whenIterated(first ? withManifest(manifestBytes, rest) : nodeSegments(rest), forget),
    };
  };
  return {
    addLayer: (layer) => add(layer).segments,
    foresee: () => new Foresight(merger.foresee(), added === 0 ? manifestBytes : undefined),
    addForeseenLayer(layer, foresight) {
      if (!(foresight instanceof Foresight)) throw new TypeError('the foresight is not one of this builder');
      return add(layer, foresight);
    },
    finish: () => endSegments(merger.finishedRoot(), added === 0 ? manifestBytes : undefined),
  };
}

class Foresight implements AciForesight {
  readonly layer: LayerForesight;
  /** Nodes before each mark. */
  readonly #marks: number[] = [];
  #manifestBytes: Uint8Array | undefined;

  constructor(layer: LayerForesight, manifestBytes: Uint8Array | undefined) {
    this.layer = layer;
    this.#manifestBytes = manifestBytes;
  }

  take(entries: Iterable<LayerEntry>): Iterable<AciSegment> {
    const nodes = this.layer.take(entries);
    const manifestBytes = this.#manifestBytes;
    this.#manifestBytes = undefined;
    return manifestBytes === undefined ? nodeSegments(nodes) : withManifest(manifestBytes, nodes);
  }

  mark(): void {
    this.#marks.push(this.layer.headerOffsets.length);
  }

  /** @param nodes as many are what was foreseen */
  good(nodes: number): { readonly goodMarks: number; readonly nodesBefore: number } {
    const past = this.#marks.findIndex((before) => before > nodes);
    const goodMarks = past < 0 ? this.#marks.length : past;
    return { goodMarks, nodesBefore: this.#marks[goodMarks - 1] ?? 0 };
  }
}

/** A tree whose nodes come from so many layers, as their origins say: a {@link FileTree}, or one with more upon it. */
export interface LayeredTree {
  readonly layers: { readonly length: number };
  readonly root: DirectoryNode;
}

/** The stream {@link createAciBuilder} gives, from a finished tree. */
export function* aciSegments(tree: LayeredTree, manifestBytes: Uint8Array): Generator<AciSegment> {
  const byLayer = placedByLayer(tree);
  for (const [index, placed] of byLayer.toReversed().entries()) {
    yield* index === 0 ? withManifest(manifestBytes, placed) : nodeSegments(placed);
  }
  yield* endSegments(tree.root, byLayer.length === 0 ? manifestBytes : undefined);
}

/** All but the first ones. */
function* without<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const item of items) {
    if (left > 0) left -= 1;
    else yield item;
  }
}

function* whenIterated<T>(items: Iterable<T>, done: () => void): Generator<T> {
  yield* items;
  done();
}

function placedByLayer(tree: LayeredTree): readonly PlacedNode[][] {
  const names = new Map<TreeNode, ByteString[]>();
  const work: { node: TreeNode; path: ByteString }[] = [{ node: tree.root, path: '' }];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    const known = names.get(next.node);
    if (known === undefined) names.set(next.node, [next.path]);
    else known.push(next.path);
    if (next.node.kind !== 'directory') continue;
    for (const [name, node] of next.node.children) {
      work.push({ node, path: next.path === '' ? name : `${next.path}/${name}` });
    }
  }
  const byLayer: PlacedNode[][] = Array.from({ length: tree.layers.length }, () => []);
  for (const [node, paths] of names) {
    if (node.origin !== undefined) byLayer[node.origin.layer]?.push({ node, names: paths });
  }
  for (const placed of byLayer) placed.sort((left, right) => headerOffset(left) - headerOffset(right));
  return byLayer;
}

function headerOffset(placed: PlacedNode): number {
  return placed.node.origin?.headerOffset ?? -1;
}

function* withManifest(manifestBytes: Uint8Array, placed: Iterable<PlacedNode>): Generator<AciSegment> {
  const writer = createSegmentWriter();
  writeManifest(writer, manifestBytes);
  yield* nodeSegments(placed, writer);
}

/** The manifest as a member of the archive. */
export function writeManifest(writer: SegmentWriter, bytes: Uint8Array): void {
  writeTarHeader(writer, { path: 'manifest', type: '0', attributes: MANIFEST_ATTRIBUTES, size: bytes.length });
  writer.copy(bytes);
  writePadding(writer, bytes.length);
}

/** Nodes with their content, each under its first name by byte order, the others behind it as hard links. */
export function* nodeSegments(
  placed: Iterable<PlacedNode>,
  writer: SegmentWriter = createSegmentWriter(),
): Generator<AciSegment> {
  for (const { node, names } of placed) {
    const [first = '', ...links] = names.length > 1 ? [...names].sort() : names;
    writeTarHeader(writer, { ...nodeHeader(node, rootfsPath(first)), attributes: node.attributes });
    if (node.kind === 'file' && node.size > 0) {
      if (!writeContent(writer, node)) {
        yield* writer.take();
        yield* sparseSegments(node);
      }
      writePadding(writer, node.size);
    }
    for (const link of links) {
      writeTarHeader(writer, {
        path: rootfsPath(link),
        type: '1',
        attributes: node.attributes,
        linkname: rootfsPath(first),
      });
    }
    if (writer.pending >= BATCH) yield* writer.take();
  }
  yield* writer.take();
}

/** The content of a file without holes; false for one that has any. */
function writeContent(writer: SegmentWriter, file: FileNode): boolean {
  const [extent] = file.extents;
  if (extent?.length !== file.size) return false;
  writer.range(file.origin?.layer ?? 0, extent.tarOffset, extent.length);
  return true;
}

export function rootfsPath(path: ByteString): ByteString {
  return path === '' ? ROOTFS : `${ROOTFS}/${path}`;
}

function nodeHeader(node: TreeNode, path: ByteString): Omit<TarHeader, 'attributes'> {
  switch (node.kind) {
    case 'directory':
      return { path: `${path}/`, type: '5' };
    case 'file':
      return { path, type: '0', size: node.size };
    case 'symlink':
      return { path, type: '2', linkname: node.target };
    case 'fifo':
      return { path, type: '6' };
    case 'character-device':
      return { path, type: '3', major: node.major, minor: node.minor };
    case 'block-device':
      return { path, type: '4', major: node.major, minor: node.minor };
  }
}

function* sparseSegments(file: FileNode): Generator<AciSegment> {
  const layer = file.origin?.layer ?? 0;
  let end = 0;
  for (const { fileOffset, tarOffset, length } of file.extents) {
    yield* zeroSegments(fileOffset - end);
    yield { kind: 'layer', layer, tarOffset, length };
    end = fileOffset + length;
  }
  yield* zeroSegments(file.size - end);
}

function* endSegments(root: AnyDirectory, manifestBytes: Uint8Array | undefined): Generator<AciSegment> {
  const writer = createSegmentWriter();
  if (manifestBytes !== undefined) writeManifest(writer, manifestBytes);
  for (const path of impliedPaths(root)) {
    writeTarHeader(writer, { path: `${rootfsPath(path)}/`, type: '5', attributes: IMPLIED_ATTRIBUTES });
  }
  writer.reserve(2 * BLOCK);
  yield* writer.take();
}

/** Directories no layer states and nothing in the archive implies, in byte order: the root, and those left without children. */
function impliedPaths(root: AnyDirectory): readonly ByteString[] {
  const paths: ByteString[] = [];
  const work: { directory: AnyDirectory; path: ByteString }[] = [{ directory: root, path: '' }];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    const { directory, path } = next;
    if (directory.origin === undefined && (path === '' || directory.children.size === 0)) paths.push(path);
    for (const [name, node] of directory.children) {
      if (node.kind === 'directory') work.push({ directory: node, path: path === '' ? name : `${path}/${name}` });
    }
  }
  return paths.sort();
}
