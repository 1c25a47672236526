// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import {
  type AciSegment,
  aciLayerLimits,
  aciSegments,
  createAciBuilder,
  type IndexedLayer,
  type LayerIndex,
  mergeLayers,
  splitAciIndex,
  type TreeNode,
} from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resultOrCode } from '../appc-error.ts';
import { arbitraryLayers } from '../layer-arbitrary.ts';
import { archive, file, gnuLong, header, indexOf, pax } from '../tar-fixtures.ts';
import { contentOf, described } from '../tree-content.ts';
import { nodesByPath } from '../tree-text.ts';
import { aciBytes } from './aci-bytes.ts';

const manifestBytes = Buffer.from('{"acKind":"ImageManifest"}');

const directory = (name: string): Buffer => header({ name: `${name}/`, type: '5' });
const hardlink = (name: string, linkname: string): Buffer => header({ name, type: '1', linkname });

function layersOf(indexes: readonly LayerIndex[]): IndexedLayer[] {
  return indexes.map((index, number) => ({ diffId: `sha256:${number}`, index }));
}

function built(layers: readonly IndexedLayer[]): AciSegment[] {
  const builder = createAciBuilder({ manifestBytes, layerCount: layers.length });
  const segments = layers.toReversed().flatMap((layer) => [...builder.addLayer(layer)]);
  return [...segments, ...builder.finish()];
}

/** ACI of layers given as archives, base first, and the index of that ACI. */
function aciOf(...tars: readonly Buffer[]): { bytes: Buffer; index: LayerIndex } {
  const tree = mergeLayers(layersOf(tars.map((tar) => indexOf(tar))));
  const bytes = aciBytes(aciSegments(tree, manifestBytes), tars);
  return { bytes, index: indexOf(bytes, aciLayerLimits) };
}

describe('the stream', () => {
  it('begins with the manifest, then has layers from the top, links behind their file, and no implied directory', () => {
    const base = archive(header({ name: './', type: '5', mode: '0000711\0' }), file('etc/b', 'b'), file('a', 'base'));
    const top = archive(file('etc/new', 'n'), header({ name: 'A', type: '1', linkname: 'a' }), file('zz/top'));
    const { index } = aciOf(base, top);
    expect(index.entries.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'file manifest',
      'file rootfs/etc/new',
      'file rootfs/zz/top',
      'directory rootfs',
      'file rootfs/etc/b',
      'file rootfs/A',
      'hardlink rootfs/a',
    ]);
    expect(index.entries[0]).toMatchObject({ mode: 0o644, uid: 0, gid: 0, mtime: 0, size: manifestBytes.length });
    expect(index.entries[3]).toMatchObject({ mode: 0o711 });
  });
  it('ends with the root if no layer states it, and is a whole archive without layers', () => {
    expect(aciOf(archive(file('a'))).index.entries.map(({ path }) => path)).toEqual(['manifest', 'rootfs/a', 'rootfs']);
    const bytes = aciBytes(built([]), []);
    expect(bytes.length % 512).toBe(0);
    expect(indexOf(bytes).entries.map(({ path }) => path)).toEqual(['manifest', 'rootfs']);
    expect(bytes.equals(aciBytes(aciSegments(mergeLayers([]), manifestBytes), []))).toBe(true);
  });
  it('has the longest paths of a layer', () => {
    const [one, other] = ['x', 'y'].map((end) => 'ab/'.repeat(1365).concat(end)) as [string, string];
    const longDirectory = Buffer.concat([gnuLong('L', one), header({ type: '5' })]);
    const { index } = aciOf(archive(longDirectory, gnuLong('L', other), file('y')));
    expect(index.entries.map(({ path }) => path)).toEqual(['manifest', `rootfs/${one}`, `rootfs/${other}`, 'rootfs']);
  });
  it('states empty directories that only a whiteout implies', () => {
    const { index } = aciOf(archive(file('b/c/.wh.x'), file('a/.wh.y'), file('d/e')));
    expect(index.entries.map(({ path }) => path)).toEqual([
      'manifest',
      'rootfs/d/e',
      'rootfs',
      'rootfs/a',
      'rootfs/b/c',
    ]);
  });
  it('carries over whatever an entry can state', () => {
    const long = `${'d'.repeat(200)}/${'\xff'.repeat(150)}`;
    const xattrs = [
      ['SCHILY.xattr.user.z', '1'],
      ['SCHILY.xattr.security.capability', '\x01\0\0\x02'],
    ] as const;
    const records = [['path', long], ['mtime', '-1.25'], ['uid', '4294967295'], ['gid', '2097152'], ...xattrs] as const;
    const tar = archive(
      pax(records),
      file('x', 'content', { mode: '0006755\0' }),
      pax([
        ['linkpath', 't'.repeat(300)],
        ['mtime', '99999999999'],
      ]),
      header({ name: 'lnk', type: '2' }),
      header({
        name: 'dev',
        type: '3',
        devmajor: '7777777\0',
        devminor: Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe]).toString('latin1'),
      }),
    );
    const before = nodesByPath(mergeLayers(layersOf([indexOf(tar)])));
    const { rootfs } = splitAciIndex(aciOf(tar).index);
    const after = nodesByPath(mergeLayers(layersOf([rootfs])));
    for (const path of [long, 'lnk', 'dev']) {
      const node = before.get(path);
      expect(after.get(path)).toMatchObject({ kind: node?.kind, attributes: node?.attributes });
      expect(ownOf(after.get(path))).toEqual(ownOf(node));
    }
    expect([...(after.get(long)?.attributes.xattrs?.keys() ?? [])]).toEqual(['security.capability', 'user.z']);
  });
  it('has no PAX header where ustar can say it all', () => {
    const { bytes } = aciOf(archive(file(`${'d'.repeat(140)}/${'n'.repeat(90)}`, 'x')));
    expect(bytes.includes('PaxHeader')).toBe(false);
    expect(aciOf(archive(file('\xe9'))).bytes.includes('PaxHeader')).toBe(false);
  });
  it('writes holes as zeros in pieces that stay small', () => {
    const size = 1_000_000;
    const tar = archive(
      pax([
        ['GNU.sparse.size', String(size)],
        ['GNU.sparse.map', '200000,3,500000,2'],
      ]),
      file('s', 'abcde'),
    );
    const { bytes, index } = aciOf(tar);
    const [, sparse] = index.entries;
    const at = sparse?.kind === 'file' ? (sparse.extents[0]?.tarOffset ?? 0) : 0;
    const expected = Buffer.alloc(size);
    expected.write('abc', 200_000);
    expected.write('de', 500_000);
    expect(bytes.subarray(at, at + size).equals(expected)).toBe(true);
    const tree = mergeLayers(layersOf([indexOf(tar)]));
    for (const segment of aciSegments(tree, manifestBytes)) {
      if (segment.kind === 'bytes') expect(segment.bytes.length).toBeLessThanOrEqual(64 * 1024);
    }
  });
  it('takes about two segments for a file', () => {
    const tar = archive(...Array.from({ length: 500 }, (_, each) => file(`f${each}`, 'x')));
    const segments = [...aciSegments(mergeLayers(layersOf([indexOf(tar)])), manifestBytes)];
    expect(segments.length).toBeLessThan(1020);
  });
  it('does not change what it has handed out', () => {
    const tar = archive(...Array.from({ length: 300 }, (_, each) => file(`f${each}`, 'x'.repeat(700))));
    const tree = mergeLayers(layersOf([indexOf(tar)]));
    const copied = Array.from(aciSegments(tree, manifestBytes), (each) =>
      each.kind === 'bytes' ? Buffer.from(each.bytes) : each,
    );
    const kept = Array.from(aciSegments(tree, manifestBytes), (each) =>
      each.kind === 'bytes' ? Buffer.from(each.bytes) : each,
    );
    const held = [...aciSegments(tree, manifestBytes)].map((each) =>
      each.kind === 'bytes' ? Buffer.from(each.bytes) : each,
    );
    expect(kept).toEqual(copied);
    expect(held).toEqual(copied);
  });
  it('refuses entries that are gone when they are looked at again', () => {
    const builder = createAciBuilder({ manifestBytes, layerCount: 1 });
    const { size, entries } = indexOf(archive(file('a', 'x')));
    const index = { size, entries: entries.values() };
    const segments = builder.addLayer({ diffId: `sha256:${'0'.repeat(64)}`, index });
    expect(() => [...segments]).toThrow(new TypeError('the entries of a layer cannot be iterated over twice'));
  });

  it('refuses layers too many and too few', () => {
    const builder = createAciBuilder({ manifestBytes, layerCount: 1 });
    expect(() => builder.finish()).toThrow(RangeError);
    const [layer] = layersOf([indexOf(archive(file('a')))]);
    if (layer !== undefined) builder.addLayer(layer);
    expect(() => layer !== undefined && builder.addLayer(layer)).toThrow(RangeError);
  });
});

it('is the same from the builder and from the finished tree, and reads back as the same tree', () => {
  let compared = 0;
  fc.assert(
    fc.property(arbitraryLayers, (indexes) => {
      const layers = layersOf(indexes);
      const segments = resultOrCode(() => built(layers));
      if (typeof segments === 'string') return;
      compared += 1;
      const tars = indexes.map((index, number) => contentOf(index, number));
      const bytes = aciBytes(segments, tars);
      const tree = mergeLayers(layers);
      expect(bytes.equals(aciBytes(aciSegments(tree, manifestBytes), tars))).toBe(true);
      const { rootfs } = splitAciIndex(indexOf(bytes));
      const again = mergeLayers(layersOf([rootfs]));
      expect(described(again, [bytes])).toEqual(described(tree, tars));
      expect(
        aciBytes(aciSegments(again, manifestBytes), [bytes]).subarray(0, 1024).equals(bytes.subarray(0, 1024)),
      ).toBe(true);
    }),
    { numRuns: 800 },
  );
  expect(compared).toBeGreaterThan(200);
});

/** Segments of a build whose layers are foreseen in pieces, of which only those up to the last good mark are kept. */
function builtAhead(
  layers: readonly IndexedLayer[],
  piece: number,
  onMarks: (good: number, all: number) => void,
): AciSegment[] {
  const builder = createAciBuilder({ manifestBytes, layerCount: layers.length });
  const built: AciSegment[] = [];
  for (const layer of layers.toReversed()) {
    const foresight = builder.foresee();
    const ahead: AciSegment[][] = [];
    const entries = [...layer.index.entries];
    for (let at = 0; at < entries.length; at += piece) {
      ahead.push([...foresight.take(entries.slice(at, at + piece))]);
      foresight.mark();
    }
    const { goodMarks, segments } = builder.addForeseenLayer(layer, foresight);
    onMarks(goodMarks, ahead.length);
    built.push(...ahead.slice(0, goodMarks).flat(), ...segments);
  }
  return [...built, ...builder.finish()];
}

describe('a layer that was foreseen', () => {
  it('gives the same stream, whatever turns up later in it', () => {
    const seen = { none: 0, some: 0, all: 0 };
    fc.assert(
      fc.property(arbitraryLayers, fc.integer({ min: 1, max: 4 }), (indexes, piece) => {
        const layers = layersOf(indexes);
        const segments = resultOrCode(() => built(layers));
        const onMarks = (good: number, all: number): void => {
          if (all > 0) seen[good === 0 ? 'none' : good < all ? 'some' : 'all'] += 1;
        };
        const ahead = resultOrCode(() => builtAhead(layers, piece, onMarks));
        if (typeof segments === 'string' || typeof ahead === 'string') {
          expect(ahead).toBe(segments);
          return;
        }
        const tars = indexes.map((index, number) => contentOf(index, number));
        expect(aciBytes(ahead, tars).equals(aciBytes(segments, tars))).toBe(true);
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(seen.none, seen.some, seen.all)).toBeGreaterThan(50);
  });
  const goodMarks = (...tars: readonly Buffer[]): readonly string[] => {
    const marks: string[] = [];
    builtAhead(layersOf(tars.map((tar) => indexOf(tar))), 1, (good, all) => marks.push(`${good} of ${all}`));
    return marks;
  };
  it('is right to the end when nothing in it concerns another of its entries', () => {
    const base = archive(directory('a'), file('a/b', 'b'), file('c', 'c'), file('gone', 'x'));
    const top = archive(directory('a'), file('a/b', 'new'), file('.wh.gone'), file('z/z'));
    expect(goodMarks(base, top)).toEqual(['4 of 4', '4 of 4']);
  });
  it('is right up to what is stated again, or linked to', () => {
    expect(goodMarks(archive(file('a'), file('b'), file('c'), file('b', 'again')))).toEqual(['1 of 4']);
    expect(goodMarks(archive(file('a'), file('b'), hardlink('c', 'b'), file('d')))).toEqual(['1 of 4']);
    expect(goodMarks(archive(directory('d'), file('d/x'), directory('d')))).toEqual(['0 of 3']);
  });
  it('is right up to what a layer above links to', () => {
    expect(goodMarks(archive(file('a'), file('b'), file('c')), archive(hardlink('l', 'b')))).toEqual([
      '1 of 1',
      '3 of 3',
    ]);
  });
  it('is right up to a file with holes, which could be any size', () => {
    const holes = [
      ['GNU.sparse.size', '1000000000000'],
      ['GNU.sparse.map', '0,3'],
    ] as const;
    const limits = { maxHoleBytes: Number.MAX_SAFE_INTEGER };
    const index = indexOf(
      archive(file('a'), pax(holes), file('sparse', 'abc'), file('b'), file('sparse', 'again')),
      limits,
    );
    const [layer] = layersOf([index]);
    const foresight = createAciBuilder({ manifestBytes, layerCount: 1 }).foresee();
    const bytes = [...foresight.take(layer?.index.entries ?? [])].reduce(
      (sum, segment) => sum + (segment.kind === 'bytes' ? segment.bytes.length : segment.length),
      0,
    );
    expect(bytes).toBeLessThan(10_000);
  });
  it('is told by its own builder', () => {
    const builder = createAciBuilder({ manifestBytes, layerCount: 1 });
    const [layer] = layersOf([indexOf(archive(file('a')))]);
    const strange = { take: () => [], mark: () => undefined };
    expect(() => layer && builder.addForeseenLayer(layer, strange)).toThrow(TypeError);
  });
});

function ownOf(node: TreeNode | undefined): unknown {
  if (node?.kind === 'file') return node.size;
  if (node?.kind === 'symlink') return node.target;
  return node !== undefined && 'major' in node ? [node.major, node.minor] : undefined;
}
