// SPDX-License-Identifier: Apache-2.0
import type { Extent, FileNode } from '@rkt/appc';
import { describe, expect, it } from 'vitest';
import { mapChunks } from '../../src/trees/erofs/chunks.ts';
import { plain } from './support/nodes.ts';

function sparse(size: number, extents: readonly (readonly [fileOffset: number, tarOffset: number, length: number])[]) {
  const runs: readonly Extent[] = extents.map(([fileOffset, tarOffset, length]) => ({ fileOffset, tarOffset, length }));
  const node: FileNode = {
    kind: 'file',
    attributes: plain,
    origin: { layer: 0, headerOffset: 0 },
    size,
    extents: runs,
  };
  return mapChunks(node, 2 ** 40);
}

describe('mapChunks', () => {
  it.each([
    [1, 0],
    [512, 0],
    [513, 1],
    [3_000_000, 13],
    [2 ** 33, 24],
  ])('covers %i contiguous bytes with one chunk', (size, bits) => {
    expect(sparse(size, [[0, 512, size]])).toMatchObject({ bits, count: 1 });
  });

  it('takes the largest chunks whose borders meet every border of data', () => {
    const runs = [
      [0, 512, 8192],
      [65_536, 8704, 4096],
      [81_920, 12_800, 100],
    ] as const;
    expect(sparse(82_020, runs)).toMatchObject({ bits: 3, count: 21 });
  });

  it('joins pieces that follow each other in file and tar', () => {
    const runs = [
      [0, 512, 512],
      [512, 1024, 512],
      [1024, 1536, 0],
      [1024, 1536, 1000],
    ] as const;
    expect(sparse(2024, runs)).toMatchObject({
      bits: 2,
      count: 1,
      extents: [{ fileOffset: 0, tarOffset: 512, length: 2024 }],
    });
  });

  it('makes one hole of a file without data', () => {
    expect(sparse(10_000_000, [])).toMatchObject({ count: 1, extents: [] });
  });

  it.each([
    ['in the tar', [[0, 700, 512]]],
    ['at the start in the file', [[100, 512, 412]]],
    ['at an end that is not the end of the file', [[0, 512, 100]]],
  ] as const)('refuses content that is not aligned %s', (_, runs) => {
    expect(sparse(512, runs)).toMatchObject({ kind: 'unsupported', reason: 'content is not aligned to 512 bytes' });
  });

  it('refuses a sparse file that would need more than a million chunks', () => {
    const runs = [
      [0, 512, 512],
      [2 ** 40 - 512, 1024, 512],
    ] as const;
    expect(sparse(2 ** 40, runs)).toMatchObject({ kind: 'unsupported' });
  });

  it.each([
    [
      'overlaps',
      2048,
      [
        [0, 512, 1024],
        [512, 2048, 512],
      ],
    ],
    [
      'goes backwards',
      2048,
      [
        [512, 512, 512],
        [0, 2048, 512],
      ],
    ],
    ['exceeds the file', 512, [[0, 512, 1024]]],
    ['lies beyond the layer', 512, [[0, 2 ** 40, 512]]],
    ['lies before the layer', 512, [[0, -512, 512]]],
    ['has no numbers', 512, [[0, Number.NaN, 512]]],
  ] as const)('calls content invalid that %s', (_, size, runs) => {
    expect(sparse(size, runs)).toMatchObject({ kind: 'invalid' });
  });
});
