// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import {
  createLayerIndexEncoder,
  createLayerIndexer,
  decodeLayerIndex,
  encodeLayerIndex,
  type LayerIndex,
} from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appcError, resultOrCode } from '../appc-error.ts';
import { archive, base256, file, header, indexOf, pax } from '../tar-fixtures.ts';

const sample = indexOf(
  archive(
    header({ name: './', type: '5', mode: '0000755\0' }),
    file('usr/bin/a', 'content'),
    pax([
      ['mtime', '-1.5'],
      ['uid', '4294967295'],
      ['SCHILY.xattr.user.x', '\0\xff'],
      ['SCHILY.xattr.user.empty', ''],
    ]),
    file('usr/bin/b'),
    header({ name: 'usr/lnk', type: '2', linkname: '../\xe9' }),
    header({ name: 'usr/hard', type: '1', linkname: 'usr/bin/a' }),
    header({ name: 'dev/x', type: '3', devmajor: '0000001\0', devminor: '0000003\0' }),
    header({ name: 'dev/y', type: '4', mtime: base256(-(2n ** 51n), 12) }),
    header({ name: 'pipe', type: '6', mtime: base256(2n ** 51n, 12) }),
    pax([
      ['GNU.sparse.size', '90000'],
      ['GNU.sparse.map', '10,2,50000,2'],
    ]),
    file('sparse', 'abcd'),
  ),
);

describe('a layer index', () => {
  it('survives being written and read', () => {
    expect(decodeLayerIndex(encodeLayerIndex(sample))).toEqual(sample);
    expect(decodeLayerIndex(encodeLayerIndex({ size: 0, entries: [] }))).toEqual({ size: 0, entries: [] });
  });
  it.each([1, 511, 4000])(
    'is the same when its entries are taken and written while %d bytes come at a time',
    (step) => {
      const tar = archive(
        file('a', 'x'.repeat(3000)),
        header({ name: 'dir/', type: '5' }),
        file('dir/b', 'yy'),
        file('c'),
      );
      const indexer = createLayerIndexer({ maxEntries: 4 });
      const encoder = createLayerIndexEncoder();
      let taken = 0;
      for (let at = 0; at < tar.length; at += step) {
        indexer.push(tar.subarray(at, at + step));
        const entries = indexer.takeComplete();
        taken += entries.length;
        encoder.add(entries);
      }
      const { size, entries } = indexer.finish();
      encoder.add(entries);
      expect([taken, entries.length]).toEqual([4, 0]);
      expect(encoder.finish(size)).toEqual(encodeLayerIndex(indexOf(tar)));
    },
  );
  it('counts entries that were taken towards the limit', () => {
    const tar = archive(file('a'), file('b'), file('c'));
    const indexer = createLayerIndexer({ maxEntries: 2 });
    const push = (): void => {
      for (let at = 0; at < tar.length; at += 512) {
        indexer.push(tar.subarray(at, at + 512));
        indexer.takeComplete();
      }
    };
    expect(appcError(push).code).toBe('ERR_RKT_APPC_LIMIT');
  });
  it('is written the same every time, in a form that is kept', () => {
    const bytes = encodeLayerIndex(indexOf(archive(file('a', 'x'))));
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '524b544c495800010000000000000025' +
        '8010' +
        '01' +
        '00' +
        '00' +
        '00' +
        '0161' +
        'a403' +
        '00' +
        '00' +
        '00' +
        '00' +
        '00' +
        '01' +
        '01' +
        '00' +
        '8004' +
        '01',
    );
  });
  it('is read from the middle of a buffer', () => {
    const bytes = encodeLayerIndex(sample);
    const around = Buffer.concat([Buffer.alloc(7), bytes]);
    expect(decodeLayerIndex(around.subarray(7))).toEqual(sample);
  });
});

describe('bytes that are no layer index', () => {
  const bytes = encodeLayerIndex(sample);
  const refusal = (broken: Uint8Array) => appcError(() => decodeLayerIndex(broken)).code;
  it('are refused when cut short or added to', () => {
    for (let length = 0; length < bytes.length; length += 1)
      expect(refusal(bytes.subarray(0, length))).toBe('ERR_RKT_APPC_INDEX');
    expect(refusal(Buffer.concat([bytes, Buffer.alloc(1)]))).toBe('ERR_RKT_APPC_INDEX');
  });
  it('are refused when of another version', () => {
    const other = Buffer.from(bytes);
    other[7] = 2;
    expect(refusal(other)).toBe('ERR_RKT_APPC_INDEX');
  });
  it.each<[string, LayerIndex]>([
    ['a path that leaves the root', withEntry({ path: '../x' })],
    ['an absolute path', withEntry({ path: '/x' })],
    ['a mode with type bits', withEntry({ mode: 0o100644 })],
    ['a uid beyond 32 bits', withEntry({ uid: 2 ** 32 })],
    ['too many nanoseconds', withEntry({ mtimeNanoseconds: 1_000_000_000 })],
    [
      'an extent beyond the tar',
      withEntry({ extents: [{ fileOffset: 0, tarOffset: 3072, length: 1025 }], size: 2000 }),
    ],
    ['an extent beyond the file', withEntry({ extents: [{ fileOffset: 0, tarOffset: 512, length: 8 }], size: 7 })],
    [
      'extents that overlap',
      withEntry({ extents: [0, 1].map((fileOffset) => ({ fileOffset, tarOffset: 512, length: 2 })), size: 9 }),
    ],
    ['an empty extent', withEntry({ extents: [{ fileOffset: 0, tarOffset: 512, length: 0 }] })],
    ['headers out of order', { size: 4096, entries: [plain({ headerOffset: 512 }), plain({ headerOffset: 512 })] }],
    ['a header beyond the tar', withEntry({ headerOffset: 5000 })],
    ['a hard link out of the root', { size: 4096, entries: [{ ...plain({}), kind: 'hardlink', target: '../x' }] }],
    ['a link without a target', { size: 4096, entries: [{ ...plain({}), kind: 'symlink', target: '' }] }],
  ])('are refused for %s', (_what, index) => {
    expect(refusal(encodeLayerIndex(index))).toBe('ERR_RKT_APPC_INDEX');
  });
  it('give an index or an AppcError, whatever bytes are changed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 16, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 })), {
          maxLength: 5,
        }),
        (changes) => {
          const changed = Uint8Array.from(bytes);
          for (const [at, value] of changes) changed[at] = value;
          resultOrCode(() => decodeLayerIndex(changed));
        },
      ),
      { numRuns: 500 },
    );
  });
});

function plain(fields: object) {
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };
  return { kind: 'file' as const, path: 'a', headerOffset: 0, size: 0, extents: [], ...attributes, ...fields };
}

function withEntry(fields: object): LayerIndex {
  return { size: 4096, entries: [plain(fields)] };
}
