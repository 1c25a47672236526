// SPDX-License-Identifier: Apache-2.0
import type { LayerEntry, LayerIndex } from '@rkt/appc';
import fc from 'fast-check';

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const attributes = fc.record({
  mode: fc.constantFrom(0o644, 0o755, 0o4755),
  uid: fc.constantFrom(0, 1000, 3_000_000),
  gid: fc.constantFrom(0, 5),
  mtime: fc.constantFrom(-7, 0, 1_700_000_000),
  mtimeNanoseconds: fc.constantFrom(0, 5_000_000),
});

const marker = fc
  .tuple(fc.array(name, { maxLength: 2 }), fc.constantFrom('.wh.a', '.wh.b', '.wh.c', '.wh..wh..opq'))
  .map(([parts, last]) => ({ kind: 'file' as const, path: [...parts, last].join('/'), size: 0 }));

const placed = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('file' as const), path, size: fc.integer({ min: 0, max: 1500 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('directory' as const), path: fc.oneof(path, fc.constant('')) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('symlink' as const), path, target: fc.constantFrom('a', '../b', '/c') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hardlink' as const), path, target: path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fifo' as const), path }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('block-device' as const), path, major: fc.nat(9), minor: fc.nat(9) }),
  },
  { weight: 3, arbitrary: marker },
);

type Stated = LayerEntry extends infer E ? (E extends LayerEntry ? Omit<E, 'headerOffset' | 'extents'> : never) : never;

/** A layer of few names, so that entries meet: whiteouts, opaque markers, hard links, changes of type, repetitions. */
export const arbitraryLayer: fc.Arbitrary<LayerIndex> = fc
  .array(fc.tuple(placed, attributes), { maxLength: 10 })
  .map((stated) => layerOf(stated.map(([entry, own]) => ({ ...own, ...entry }) as Stated)));

export const arbitraryLayers: fc.Arbitrary<readonly LayerIndex[]> = fc.array(arbitraryLayer, {
  minLength: 1,
  maxLength: 5,
});

/** Entries with the places in a tar they would have. */
function layerOf(stated: readonly Stated[]): LayerIndex {
  let at = 0;
  const entries = stated.map((entry): LayerEntry => {
    const headerOffset = at;
    at += 512;
    if (entry.kind !== 'file') return { ...entry, headerOffset };
    const extents = entry.size === 0 ? [] : [{ fileOffset: 0, tarOffset: at, length: entry.size }];
    at += Math.ceil(entry.size / 512) * 512;
    return { ...entry, headerOffset, extents };
  });
  return { size: at + 1024, entries };
}
