// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { DirectoryNode, EntryAttributes, Extent, FileTree, TreeNode } from '@rkt/appc';
import fc from 'fast-check';
import type { SurveyEntry } from './survey.ts';

/** A tree over {@link sampleLayers}, and what a survey of it must say. */
export interface Sample {
  readonly tree: FileTree;
  readonly expected: readonly SurveyEntry[];
}

const BLOCKS_PER_LAYER = 64;
const LAYERS = 3;

const byteString = (length: { readonly min: number; readonly max: number }): fc.Arbitrary<string> =>
  fc
    .uint8Array({ minLength: length.min, maxLength: length.max })
    .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x78 : byte))).toString('latin1'));

const fileName = byteString({ min: 1, max: 40 }).map((name) => (/^\.{1,2}$/.test(name) ? `${name}x` : name));

const xattrs = fc.dictionary(
  fc.constantFrom('user.a', 'user.bb', 'trusted.ccc', 'security.dddd', 'trusted.overlay.opaque', 'user.overlay.x'),
  byteString({ min: 0, max: 700 }),
  { maxKeys: 4 },
);

const attributes: fc.Arbitrary<EntryAttributes> = fc
  .record({
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constant(0xfffffffe)),
    gid: fc.integer({ min: 0, max: 70_000 }),
    mtime: fc.oneof(fc.constant(1_700_000_000), fc.integer({ min: -2_000_000_000, max: 9_000_000_000 })),
    mtimeNanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
    xattrs,
  })
  .map((fields) => ({ ...fields, xattrs: new Map(Object.entries(fields.xattrs)) }));

/** Runs of blocks, each after a gap; the last may end inside a block. */
const extents: fc.Arbitrary<readonly Extent[]> = fc
  .array(
    fc.record({ gap: fc.integer({ min: 0, max: 40 }), from: fc.nat(50), blocks: fc.integer({ min: 1, max: 10 }) }),
    {
      maxLength: 4,
    },
  )
  .map((runs) => {
    let end = 0;
    return runs.map(({ gap, from, blocks }) => {
      const fileOffset = end + gap * 512;
      end = fileOffset + blocks * 512;
      return { fileOffset, tarOffset: from * 512, length: blocks * 512 };
    });
  });

const file = fc
  .record({
    attributes,
    extents,
    layer: fc.nat(LAYERS - 1),
    cut: fc.nat(511),
    hole: fc.nat(3000),
    headerOffset: fc.nat(),
  })
  .map(({ attributes: stated, extents: runs, layer, cut, hole, headerOffset }): TreeNode => {
    const last = runs.at(-1);
    const origin = { layer, headerOffset };
    if (last === undefined || hole > 1500) {
      const end = last === undefined ? 0 : last.fileOffset + last.length;
      return { kind: 'file', attributes: stated, origin, size: end + hole, extents: runs };
    }
    const cutRuns = [...runs.slice(0, -1), { ...last, length: last.length - cut }];
    return { kind: 'file', attributes: stated, origin, size: last.fileOffset + last.length - cut, extents: cutRuns };
  });

const other = fc.oneof(
  fc
    .record({ attributes, target: fc.oneof(byteString({ min: 1, max: 60 }), byteString({ min: 400, max: 600 })) })
    .map((fields): TreeNode => ({ kind: 'symlink', origin: undefined, ...fields })),
  fc
    .record({
      attributes,
      kind: fc.constantFrom('character-device' as const, 'block-device' as const),
      major: fc.nat(0xfff),
      minor: fc.nat(0xfffff),
    })
    .map((fields): TreeNode => ({ origin: undefined, ...fields })),
  attributes.map((stated): TreeNode => ({ kind: 'fifo', origin: undefined, attributes: stated })),
  attributes.map(
    (stated): TreeNode => ({
      kind: 'character-device',
      origin: undefined,
      attributes: stated,
      major: 0,
      minor: 0,
    }),
  ),
);

const { directory } = fc.letrec<{ directory: DirectoryNode; node: TreeNode }>((tie) => ({
  node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, file, file, other, tie('directory')),
  directory: fc
    .record({
      attributes,
      children: fc.array(fc.tuple(fileName, tie('node')), { maxLength: 40, depthIdentifier: 'd' }),
    })
    .map(
      ({ attributes: stated, children }): DirectoryNode => ({
        kind: 'directory',
        attributes: stated,
        origin: undefined,
        children: new Map(children),
      }),
    ),
}));

/** The bytes the files of every sample point into. */
export const sampleLayers: readonly Buffer[] = Array.from({ length: LAYERS }, (_, layer) => layerOf(layer));

const treeLayers = sampleLayers.map(({ length }, layer) => ({
  diffId: `sha256:${'0'.repeat(63)}${layer}`,
  size: length,
}));

/** Arbitrary trees of all kinds of nodes; some nodes get further names in the root. */
export const arbitrarySample: fc.Arbitrary<Sample> = fc
  .record({ root: directory, links: fc.array(fileName, { maxLength: 6 }) })
  .map(({ root, links }) => {
    const linked = withLinks(root, links);
    return { tree: { layers: treeLayers, root: linked }, expected: describeTree(linked) };
  });

function layerOf(layer: number): Buffer {
  const bytes = Buffer.alloc(BLOCKS_PER_LAYER * 512);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE((at * 2654435761 + layer) >>> 0, at);
  return bytes;
}

function withLinks(root: DirectoryNode, names: readonly string[]): DirectoryNode {
  const found: TreeNode[] = [];
  const collect = (node: TreeNode): void => {
    if (node.kind === 'directory') for (const child of node.children.values()) collect(child);
    else found.push(node);
  };
  collect(root);
  const children = new Map(root.children);
  names.forEach((name, index) => {
    const node = found[index];
    if (node !== undefined && children.get(name)?.kind !== 'directory') children.set(name, node);
  });
  return { ...root, children };
}

const TYPES: Readonly<Record<TreeNode['kind'], number>> = {
  fifo: 0o010000,
  'character-device': 0o020000,
  directory: 0o040000,
  'block-device': 0o060000,
  file: 0o100000,
  symlink: 0o120000,
};

function describeTree(root: DirectoryNode): readonly SurveyEntry[] {
  const found: { readonly path: string; readonly node: TreeNode }[] = [];
  const visit = (path: string, node: TreeNode): void => {
    if (isWhiteout(node)) return;
    found.push({ path, node });
    if (node.kind !== 'directory') return;
    for (const name of [...node.children.keys()].sort()) {
      const child = node.children.get(name);
      if (child !== undefined) visit(path === '' ? name : `${path}/${name}`, child);
    }
  };
  visit('', root);
  return found.map(({ path, node }) => {
    const names = found.filter((entry) => entry.node === node);
    return describeNode(node, { path, sameAs: names[0]?.path ?? '', names: names.length });
  });
}

function describeNode(
  node: TreeNode,
  place: { readonly path: string; readonly sameAs: string; readonly names: number },
): SurveyEntry {
  const { mode, uid, gid, mtime, mtimeNanoseconds } = node.attributes;
  const isDevice = node.kind === 'character-device' || node.kind === 'block-device';
  const content = node.kind === 'file' ? contentOf(node) : undefined;
  return {
    path: place.path,
    mode: TYPES[node.kind] | (node.kind === 'symlink' ? 0o777 : mode),
    uid,
    gid,
    links: node.kind === 'directory' ? 2 + subdirectories(node) : place.names,
    mtimeNs: BigInt(mtime) * 1_000_000_000n + BigInt(mtimeNanoseconds),
    size: sizeOf(node),
    device: isDevice ? encodeDevice(node.major, node.minor) : 0n,
    target: node.kind === 'symlink' ? node.target : undefined,
    sha256: content === undefined ? undefined : createHash('sha256').update(content).digest('hex'),
    sameAs: place.sameAs,
    xattrs: expectedXattrs(node),
  };
}

function sizeOf(node: TreeNode): bigint | undefined {
  if (node.kind === 'directory') return undefined;
  if (node.kind === 'file') return BigInt(node.size);
  return node.kind === 'symlink' ? BigInt(node.target.length) : 0n;
}

function subdirectories(node: DirectoryNode): number {
  return [...node.children.values()].filter(({ kind }) => kind === 'directory').length;
}

function isWhiteout(node: TreeNode): boolean {
  return node.kind === 'character-device' && node.major === 0 && node.minor === 0;
}

/** As stat(2) reports it through the C library. */
function encodeDevice(major: number, minor: number): bigint {
  return BigInt(minor % 256) + BigInt(major) * 256n + BigInt(Math.floor(minor / 256)) * 1_048_576n;
}

function contentOf(node: Extract<TreeNode, { kind: 'file' }>): Buffer {
  const content = Buffer.alloc(node.size);
  const layer = sampleLayers[node.origin?.layer ?? 0] ?? Buffer.alloc(0);
  for (const { fileOffset, tarOffset, length } of node.extents) {
    layer.copy(content, fileOffset, tarOffset, tarOffset + length);
  }
  return content;
}

function expectedXattrs(node: TreeNode): Readonly<Record<string, string>> {
  const hasUser = node.kind === 'file' || node.kind === 'directory';
  const shown = [...(node.attributes.xattrs ?? [])]
    .filter(([name]) => !name.includes('overlay') && (hasUser || !name.startsWith('user.')))
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(shown);
}
