// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createLayerIndexer } from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appcError, resultOrCode } from '../appc-error.ts';
import { archive, base256, END, file, gnuLong, header, indexOf, onlyEntry, padded, pax } from '../tar-fixtures.ts';

const GIB = 1024 ** 3;

describe('names', () => {
  it('joins the ustar prefix to the name', () => {
    expect(onlyEntry(header({ name: 'bin/sh', prefix: 'usr/local' })).path).toBe('usr/local/bin/sh');
  });
  it('leaves the prefix field alone in V7 and GNU archives', () => {
    expect(onlyEntry(header({ name: 'a', prefix: 'x', magic: '' })).path).toBe('a');
    expect(onlyEntry(header({ name: 'a', prefix: '00000000001\x0000000000001\0', magic: 'ustar  \0' })).path).toBe('a');
  });
  it('reads the prefix early Go wrote under the magic of GNU', () => {
    expect(onlyEntry(header({ name: 'a', prefix: 'var/lib', magic: 'ustar  \0' })).path).toBe('var/lib/a');
  });
  it('uses the shorter prefix of star', () => {
    const patch = new Map([[508, Buffer.from('tar\0')]]);
    expect(onlyEntry(header({ name: 'a', prefix: `${'p'.repeat(131)}times`, patch })).path).toBe(
      `${'p'.repeat(131)}/a`,
    );
  });
  it('reads GNU long names and long link targets', () => {
    const name = `${'d/'.repeat(100)}name`;
    const entry = onlyEntry(
      gnuLong('K', 't'.repeat(150)),
      gnuLong('L', name),
      header({ name: 'd/', type: '2', magic: 'ustar  \0' }),
    );
    expect(entry).toMatchObject({ kind: 'symlink', path: name, target: 't'.repeat(150), headerOffset: 0 });
  });
  it('takes PAX path and linkpath before the header fields', () => {
    const records = [
      ['path', 'p/q'],
      ['linkpath', '../x'],
    ] as const;
    expect(onlyEntry(pax(records), header({ type: '2' }))).toMatchObject({
      path: 'p/q',
      target: '../x',
      headerOffset: 0,
    });
  });
  it('takes an empty PAX record for no record', () => {
    expect(onlyEntry(pax([['path', '']]), header({ name: 'own' })).path).toBe('own');
  });
  it('keeps bytes that are not UTF-8', () => {
    expect(onlyEntry(header({ name: 'caf\xe9' })).path).toBe('caf\xe9');
    expect(onlyEntry(pax([['path', '\xc3\xa9']]), header()).path).toBe('\xc3\xa9');
  });
  it.each([
    ['./a', 'a'],
    ['/a/b', 'a/b'],
    ['a//b/./c/', 'a/b/c'],
    ['a/../b', 'b'],
    ['.//./a', 'a'],
    ['././a', 'a'],
    ['...', '...'],
    ['.a', '.a'],
    ['a/..b', 'a/..b'],
    ['///', ''],
    ['./', ''],
    ['.', ''],
    ['a/..', ''],
  ])('cleans %j to %j', (name, path) => {
    expect(onlyEntry(header({ name, type: '5' })).path).toBe(path);
  });
  it('cleans the target of a hard link and keeps that of a symbolic link', () => {
    expect(onlyEntry(header({ type: '1', linkname: '/./x//y' }))).toMatchObject({ target: 'x/y' });
    expect(onlyEntry(header({ type: '2', linkname: '/./x//y' }))).toMatchObject({ target: '/./x//y' });
  });
});

describe('kinds', () => {
  it.each([
    ['0', 'file'],
    ['\0', 'file'],
    ['7', 'file'],
    ['5', 'directory'],
    ['6', 'fifo'],
  ])('reads type %j as a %s', (type, kind) => {
    expect(onlyEntry(header({ type })).kind).toBe(kind);
  });
  it('reads a V7 name with a slash at its end as a directory', () => {
    expect(onlyEntry(header({ name: 'dir/', type: '\0', magic: '' }))).toMatchObject({
      kind: 'directory',
      path: 'dir',
    });
    expect(onlyEntry(header({ name: 'dir/', type: '0' }))).toMatchObject({ kind: 'file', path: 'dir' });
  });
  it('reads device numbers, in base-256 too', () => {
    const entry = onlyEntry(
      header({ type: '3', devmajor: '0000010\0', devminor: base256(0xffffffffn, 8).toString('latin1') }),
    );
    expect(entry).toMatchObject({ kind: 'character-device', major: 8, minor: 0xffffffff });
    expect(onlyEntry(header({ type: '4' }))).toMatchObject({ kind: 'block-device', major: 0, minor: 0 });
  });
  it('expects no content after anything but a file, whatever size is stated', () => {
    const parts = ['1', '2', '3', '4', '5', '6'].map((type) =>
      header({ name: `n${type}`, type, size: 4096, linkname: 't' }),
    );
    expect(indexOf(archive(...parts)).entries).toHaveLength(6);
  });
});

describe('attributes', () => {
  it('reads octal numbers among spaces and NULs', () => {
    const entry = onlyEntry(header({ mode: '  4755 \0', uid: '   17\0', gid: '0000000 ', mtime: '  12345670 ' }));
    expect(entry).toMatchObject({ mode: 0o4755, uid: 0o17, gid: 0, mtime: 0o12345670, mtimeNanoseconds: 0 });
  });
  it('drops file type bits from the mode', () => {
    expect(onlyEntry(header({ mode: '0100644\0' })).mode).toBe(0o644);
  });
  it('reads base-256 ids and times before the epoch', () => {
    expect(onlyEntry(header({ uid: base256(4_000_000_000n, 8), mtime: base256(-5n, 12) }))).toMatchObject({
      uid: 4_000_000_000,
      mtime: -5,
    });
  });
  it.each([
    ['12.5', 12, 500_000_000],
    ['-1.5', -2, 500_000_000],
    ['-0.25', -1, 750_000_000],
    ['3.', 3, 0],
    ['-7', -7, 0],
    ['1.1234567899', 1, 123_456_789],
    ['-0', 0, 0],
  ])('reads PAX mtime %s', (text, mtime, mtimeNanoseconds) => {
    const entry = onlyEntry(pax([['mtime', text]]), header());
    expect([entry.mtime, entry.mtimeNanoseconds]).toEqual([mtime, mtimeNanoseconds]);
  });
  it('reads PAX ids and extended attributes, the last of each name, and none that steer overlayfs', () => {
    const entry = onlyEntry(
      pax([
        ['uid', '4294967295'],
        ['gid', '70000000'],
        ['SCHILY.xattr.user.a', 'x=\0\xff\n'],
        ['SCHILY.xattr.user.b', '1'],
        ['SCHILY.xattr.user.b', '2'],
        ['SCHILY.xattr.trusted.overlay.opaque', 'y'],
        ['SCHILY.xattr.user.overlay.redirect', '/'],
      ]),
      header(),
    );
    expect(entry).toMatchObject({ uid: 4_294_967_295, gid: 70_000_000 });
    expect([...(entry.xattrs ?? [])]).toEqual([
      ['user.a', 'x=\0\xff\n'],
      ['user.b', '2'],
    ]);
    expect(onlyEntry(header())).not.toHaveProperty('xattrs');
  });
  it('applies PAX records to the next entry only and skips global ones', () => {
    const { entries } = indexOf(archive(pax([['uid', '9']], 'g'), pax([['uid', '7']]), file('a', 'x'), file('b', 'y')));
    expect(entries.map(({ uid, headerOffset }) => [uid, headerOffset])).toEqual([
      [7, 1024],
      [0, 3072],
    ]);
  });
});

describe('content', () => {
  it('says where it is', () => {
    const { entries, size } = indexOf(archive(file('a', 'x'.repeat(513)), file('b'), file('c', 'y')));
    expect(entries.map((entry) => entry.kind === 'file' && entry.extents)).toEqual([
      [{ fileOffset: 0, tarOffset: 512, length: 513 }],
      [],
      [{ fileOffset: 0, tarOffset: 2560, length: 1 }],
    ]);
    expect(size).toBe(4096);
  });
  it.each<[string, readonly Buffer[]]>([
    ['a PAX record', [pax([['size', String(16 * GIB)]]), header({ name: 'large' })]],
    ['base-256', [header({ name: 'large', size: base256(16n * BigInt(GIB), 12) })]],
  ])('may be 16 GiB, by %s, and what is behind it is where it is', (_form, before) => {
    const indexer = createLayerIndexer();
    const headers = Buffer.concat(before);
    indexer.push(headers);
    const piece = new Uint8Array(GIB / 16);
    for (let at = 0; at < 16 * GIB; at += piece.length) indexer.push(piece);
    indexer.push(archive(file('behind', 'x')));
    const { size, entries } = indexer.finish();
    const tarOffset = headers.length;
    expect(entries).toMatchObject([
      { path: 'large', size: 16 * GIB, extents: [{ fileOffset: 0, tarOffset, length: 16 * GIB }] },
      { path: 'behind', extents: [{ tarOffset: tarOffset + 16 * GIB + 512, length: 1 }] },
    ]);
    expect(size).toBe(tarOffset + 16 * GIB + 1024 + END.length);
  });
  it('lets a PAX size beat the one in the header, which no extension header heeds', () => {
    const inner = file('inner', 'smuggled');
    const tar = archive(
      pax([['size', String(inner.length)]]),
      gnuLong('L', 'outer'),
      header({ size: 0 }),
      inner,
      file('next'),
    );
    expect(indexOf(tar).entries.map(({ path }) => path)).toEqual(['outer', 'next']);
  });
  it('reads the map of an old GNU sparse file with an extension block', () => {
    const number = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
    const runs = [0, 1, 2, 3, 4, 5].map((each) => number(each * 4096) + number(512));
    const patch = new Map([
      [386, Buffer.from(runs.slice(0, 4).join(''))],
      [482, Buffer.from([1])],
      [483, Buffer.from(number(40_000))],
    ]);
    const extension = padded(runs.slice(4).join(''));
    const entry = onlyEntry(
      header({ type: 'S', magic: 'ustar  \0', size: 3072, patch }),
      extension,
      padded('x'.repeat(3072)),
    );
    expect(entry).toMatchObject({ kind: 'file', size: 40_000 });
    const extents = entry.kind === 'file' ? entry.extents : [];
    expect(extents).toHaveLength(6);
    expect(extents[5]).toEqual({ fileOffset: 20_480, tarOffset: 1024 + 2560, length: 512 });
  });
  it.each([
    [
      '0.0',
      [
        ['GNU.sparse.size', '5000'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.offset', '1000'],
        ['GNU.sparse.numbytes', '3'],
      ],
    ],
    [
      '0.1',
      [
        ['GNU.sparse.size', '5000'],
        ['GNU.sparse.name', 'real'],
        ['GNU.sparse.map', '1000,3'],
      ],
    ],
  ] as const)('reads a PAX %s sparse file', (_version, records) => {
    const entry = onlyEntry(pax(records), file('real', 'abc'));
    expect(entry).toMatchObject({ path: 'real', size: 5000, extents: [{ fileOffset: 1000, length: 3 }] });
  });
  it('reads a PAX 1.0 sparse file, whose map is at the head of its content', () => {
    const records = [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'real'],
      ['GNU.sparse.realsize', '9999'],
    ] as const;
    const map = `100\n${Array.from({ length: 100 }, (_, each) => `${each * 50}\n1\n`).join('')}`;
    const content = Buffer.concat([padded(map), Buffer.alloc(100, 'x')]);
    const entry = onlyEntry(
      pax(records),
      header({ name: 'GNUSparseFile.0/real', size: content.length }),
      padded(content),
    );
    expect(entry).toMatchObject({ path: 'real', size: 9999 });
    expect(entry.kind === 'file' && entry.extents[99]).toEqual({
      fileOffset: 4950,
      tarOffset: 1536 + padded(map).length + 99,
      length: 1,
    });
  });
});

describe('the end of the archive', () => {
  const body = file('a', 'x');
  it('may be two zero blocks, one, or none, and the last padding may be missing', () => {
    for (const tail of [END, END.subarray(512), Buffer.alloc(0)]) {
      expect(indexOf(Buffer.concat([body, tail])).entries).toHaveLength(1);
    }
    expect(indexOf(body.subarray(0, 513))).toMatchObject({ size: 513, entries: [{ path: 'a' }] });
    expect(indexOf(Buffer.alloc(0))).toEqual({ size: 0, entries: [] });
  });
  it('is followed by whatever may be, which counts towards the size', () => {
    expect(indexOf(Buffer.concat([body, END, Buffer.alloc(777, 'x')]))).toMatchObject({ size: 2048 + 777 });
  });
  it.each([
    ['in a header', body.subarray(0, 100)],
    ['in content', file('a', 'xyz').subarray(0, 514)],
    ['in a PAX header', pax([['path', 'x']]).subarray(0, 600)],
    ['after a PAX header', pax([['path', 'x']])],
  ])('is refused %s', (_where, tar) => {
    expect(appcError(() => indexOf(tar)).code).toBe('ERR_RKT_APPC_TAR_TRUNCATED');
  });
  it('is not a lone zero block with more behind it', () => {
    const tar = Buffer.concat([body, Buffer.alloc(512), body]);
    expect(appcError(() => indexOf(tar)).code).toBe('ERR_RKT_APPC_TAR_HEADER');
  });
});

it('accepts signed checksums and refuses wrong ones', () => {
  expect(onlyEntry(header({ name: '\xff\xfe', checksum: 'signed' })).path).toBe('\xff\xfe');
  expect(appcError(() => onlyEntry(header({ checksum: 'wrong' })))).toMatchObject({
    code: 'ERR_RKT_APPC_TAR_CHECKSUM',
    offset: 0,
  });
});

it('gives the same index however the bytes are cut', () => {
  const tar = archive(
    gnuLong('L', 'n/'.repeat(600)),
    file('x', 'abc'),
    pax([['uid', '5']]),
    file('b', 'y'.repeat(2000)),
    header({ type: '5' }),
  );
  const whole = indexOf(tar);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 30 }), (cuts) => {
      const indexer = createLayerIndexer();
      let at = 0;
      for (const cut of [...cuts, tar.length]) {
        indexer.push(tar.subarray(at, at + cut));
        at = Math.min(at + cut, tar.length);
      }
      expect(indexer.finish()).toEqual(whole);
    }),
    { numRuns: 50 },
  );
});

describe('any bytes', () => {
  it('give an index or an AppcError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2048 }), (bytes) => {
        resultOrCode(() => indexOf(Buffer.from(bytes)));
      }),
    );
  });
  it('give an index or an AppcError also behind a right checksum', () => {
    const field = (length: number) =>
      fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
    const patch = fc.array(
      fc.tuple(fc.constantFrom(0, 100, 108, 124, 136, 156, 157, 257, 329, 345, 386, 482, 483), field(12)),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(
        patch,
        fc.constantFrom('0', '1', '2', '3', '5', 'S', 'x', 'g', 'L', 'K'),
        fc.uint8Array({ maxLength: 1200 }),
        (patches, type, rest) => {
          const block = header({ type, size: 600, magic: 'ustar  \0', patch: new Map(patches) });
          resultOrCode(() => indexOf(Buffer.concat([block, rest])));
        },
      ),
    );
  });
});
