// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';
import type { ByteString } from '../tree/byte-string.ts';
import type { DirectoryNode, FileTree, TreeNode } from '../tree/file-tree.ts';
import type { EntryAttributes, LayerEntry, LayerIndex } from '../tree/layer-index.ts';
import { createLayerMerger, type PlacedNode } from '../tree/layer-merger.ts';
import { IMPLIED_ATTRIBUTES, isWhiteout } from '../tree/layer-tree.ts';
import { mergeLayers } from '../tree/merge.ts';
import { BLOCK } from '../tree/tar-fields.ts';
import { nodeSegments, ROOTFS, rootfsPath, writeManifest } from './aci-builder.ts';
import type { AciSegment } from './segment.ts';
import { createSegmentWriter } from './segment-writer.ts';
import type { StackableLayer } from './stack-acis.ts';
import { writeTarHeader } from './tar-header.ts';

/** An image as one ACI for each of its layers: the top one depends on all others, in their order, base first. */
export interface LayerAcis {
  /**
   * What the manifest of the top ACI needs to list, in byte order, as ACIs know no whiteouts; undefined when no layer takes
   * anything away.
   */
  readonly pathWhitelist: readonly string[] | undefined;
  /** The ACI of a layer. Except of the top one it depends on nothing above the layer: images that share layers share it. */
  segments(position: number, manifestBytes: Uint8Array): Generator<AciSegment>;
}

/**
 * Takes an image apart again that `mergeLayers` would make whole: `stackAcis` of the ACIs gives the same tree. Each ACI
 * has what its layer states and a `rootfs` as it is up to there. A hard link into a lower layer becomes a
 * copy, so that each ACI can be read by itself.
 *
 * @throws AppcError as `mergeLayers` does (also from `segments`); `ERR_RKT_APPC_PATH` if a whitelist is needed and cannot
 * name a path, which is then no UTF-8
 */
export function layerAcis(layers: readonly StackableLayer[]): LayerAcis {
  const tree = mergeLayers(layers);
  const isTakingAway = layers.some(({ index }) => index.entries.some(({ path }) => isWhiteout(path)));
  const all = isTakingAway ? pathsOf(tree) : [];
  const implied = all.filter(({ node }) => node.kind === 'directory' && node.origin === undefined);
  return {
    // With the root: an empty list would let everything through.
    pathWhitelist: isTakingAway ? ['/', ...all.map(({ path }) => `/${textOf(path)}`).sort()] : undefined,
    segments: (position, manifestBytes) =>
      aciSegments(layers.slice(0, position + 1), {
        manifestBytes,
        // What a lower layer says of a directory that was taken away and only implied anew must not come back.
        implied: position === layers.length - 1 ? implied.map(({ path }) => path) : [],
      }),
  };
}

interface AciParts {
  readonly manifestBytes: Uint8Array;
  readonly implied: readonly ByteString[];
}

/** The ACI of the last of some layers. */
function* aciSegments(layers: readonly StackableLayer[], { manifestBytes, implied }: AciParts): Generator<AciSegment> {
  const [top] = layers.slice(-1);
  if (top === undefined) throw new RangeError('no layer has this position');
  const merger = createLayerMerger(layers.length);
  const placed = [...merger.addLayer(top).nodes].filter(({ names }) => names[0] !== '');
  const missing = missingLinks(top.index, placed);
  const lower: PlacedNode[] = [];
  for (const layer of layers.slice(0, -1).reverse()) {
    if (missing.size > 0) lower.push(...[...merger.addLayer(layer).nodes].flatMap((node) => linked(node, missing)));
  }
  const writer = createSegmentWriter();
  writeManifest(writer, manifestBytes);
  writeTarHeader(writer, { path: `${ROOTFS}/`, type: '5', attributes: rootAttributes(layers) });
  yield* nodeSegments(placed, writer);
  yield* nodeSegments(lower, writer);
  for (const path of implied) {
    writeTarHeader(writer, { path: `${rootfsPath(path)}/`, type: '5', attributes: IMPLIED_ATTRIBUTES });
  }
  writer.reserve(2 * BLOCK);
  yield* writer.take();
}

/** Names of the layer's hard links that are none of its own files: what they mean stands below. */
function missingLinks({ entries }: LayerIndex, placed: readonly PlacedNode[]): ReadonlySet<ByteString> {
  const links = new Set(entries.filter(({ kind }) => kind === 'hardlink').map(({ path }) => path));
  for (const { names } of placed) for (const name of names) links.delete(name);
  return links;
}

/** A node of a layer below, under the names this layer's links give it. */
function linked({ node, names }: PlacedNode, links: ReadonlySet<ByteString>): readonly PlacedNode[] {
  const own = names.filter((name) => links.has(name));
  return own.length === 0 ? [] : [{ node, names: own }];
}

function rootAttributes(layers: readonly StackableLayer[]): EntryAttributes {
  const stated = layers.flatMap(({ index }) => index.entries.filter(isRoot));
  return stated.at(-1) ?? IMPLIED_ATTRIBUTES;
}

function isRoot({ path, kind }: LayerEntry): boolean {
  return path === '' && kind === 'directory';
}

/** Everything below the root. */
function pathsOf(tree: FileTree): readonly { readonly path: ByteString; readonly node: TreeNode }[] {
  const paths: { path: ByteString; node: TreeNode }[] = [];
  const work: { directory: DirectoryNode; prefix: ByteString }[] = [{ directory: tree.root, prefix: '' }];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    for (const [name, node] of next.directory.children) {
      const path = `${next.prefix}${name}`;
      paths.push({ path, node });
      if (node.kind === 'directory') work.push({ directory: node, prefix: `${path}/` });
    }
  }
  return paths;
}

function textOf(path: ByteString): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Uint8Array.from(path, (unit) => unit.charCodeAt(0)),
    );
  } catch (error) {
    const text = `no path whitelist can name ${quoteUntrusted(path)}: it is not UTF-8`;
    throw new AppcError('ERR_RKT_APPC_PATH', text, { path, cause: error });
  }
}
