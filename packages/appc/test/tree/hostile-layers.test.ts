// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createLayerIndexer } from '@rkt/appc';
import { describe, expect, it } from 'vitest';
import { appcError } from '../appc-error.ts';
import { archive, base256, file, gnuLong, header, indexOf, padded, pax, rawPax } from '../tar-fixtures.ts';

const sparse10 = [
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.minor', '0'],
  ['GNU.sparse.realsize', '9999'],
] as const;

function sparse(map: string, content: string, size = '9999'): Buffer {
  return archive(
    pax([
      ['GNU.sparse.size', size],
      ['GNU.sparse.map', map],
    ]),
    file('s', content),
  );
}

describe('layers that are refused', () => {
  it.each<[string, string, Buffer]>([
    ['a path that leaves the root', 'ERR_RKT_APPC_PATH', archive(file('../etc/passwd'))],
    ['a path that leaves the root later', 'ERR_RKT_APPC_PATH', archive(file('a/../../b'))],
    ['an absolute path that leaves the root', 'ERR_RKT_APPC_PATH', archive(file('/..'))],
    ['a hard link out of the root', 'ERR_RKT_APPC_PATH', archive(header({ type: '1', linkname: '../../etc/shadow' }))],
    ['a hard link to the root', 'ERR_RKT_APPC_HARDLINK', archive(header({ type: '1', linkname: './' }))],
    [
      'a symbolic link in place of the root',
      'ERR_RKT_APPC_PATH',
      archive(header({ name: '.', type: '2', linkname: '/' })),
    ],
    ['a file in place of the root', 'ERR_RKT_APPC_PATH', archive(file('/'))],
    ['a link without a target', 'ERR_RKT_APPC_PATH', archive(header({ type: '2' }))],
    ['a NUL in a PAX path', 'ERR_RKT_APPC_TAR_PAX', archive(pax([['path', 'a\0b']]), file('x'))],
    ['a NUL in a PAX link target', 'ERR_RKT_APPC_TAR_PAX', archive(pax([['linkpath', 'a\0b']]), header({ type: '2' }))],
    ['a name of 256 bytes', 'ERR_RKT_APPC_PATH', archive(gnuLong('L', 'n'.repeat(256)), file('x'))],
    ['a path of 4097 bytes', 'ERR_RKT_APPC_LIMIT', archive(gnuLong('L', 'ab/'.repeat(1365).concat('cc')), file('x'))],
    [
      'a link target of 4097 bytes',
      'ERR_RKT_APPC_LIMIT',
      archive(gnuLong('K', 't'.repeat(4097)), header({ type: '2' })),
    ],
    ['a uid beyond 32 bits', 'ERR_RKT_APPC_TAR_HEADER', archive(header({ uid: base256(2n ** 32n, 8) }))],
    ['a negative uid', 'ERR_RKT_APPC_TAR_HEADER', archive(header({ uid: base256(-1n, 8) }))],
    ['a gid that is no number', 'ERR_RKT_APPC_TAR_HEADER', archive(header({ gid: '00x0000\0' }))],
    ['a PAX gid beyond 32 bits', 'ERR_RKT_APPC_TAR_HEADER', archive(pax([['gid', '4294967296']]), file('x'))],
    ['a PAX uid that is no number', 'ERR_RKT_APPC_TAR_PAX', archive(pax([['uid', '-1']]), file('x'))],
    ['a mode that is no number', 'ERR_RKT_APPC_TAR_HEADER', archive(header({ mode: '0000849\0' }))],
    ['a time out of all range', 'ERR_RKT_APPC_TAR_HEADER', archive(header({ mtime: base256(2n ** 80n, 12) }))],
    ['a PAX time that is no number', 'ERR_RKT_APPC_TAR_PAX', archive(pax([['mtime', '1e9']]), file('x'))],
    ['a device number that is no number', 'ERR_RKT_APPC_TAR_HEADER', archive(header({ type: '3', devmajor: 'zz' }))],
    ['a negative size', 'ERR_RKT_APPC_TAR_HEADER', archive(header({ size: base256(-512n, 12) }))],
    ['a size beyond 2^53', 'ERR_RKT_APPC_TAR_HEADER', archive(header({ size: base256(2n ** 60n, 12) }))],
    [
      'a PAX size that is no number',
      'ERR_RKT_APPC_TAR_PAX',
      archive(pax([['size', '99999999999999999999']]), file('x')),
    ],
    ['a type of tape archives', 'ERR_RKT_APPC_TAR_TYPE', archive(header({ type: 'M' }))],
    ['a type nobody knows', 'ERR_RKT_APPC_TAR_TYPE', archive(header({ type: '\x1b' }))],
    ['a PAX header of 1 MiB and more', 'ERR_RKT_APPC_LIMIT', archive(header({ type: 'x', size: 1024 * 1024 + 1 }))],
    ['a long name of 8 GiB', 'ERR_RKT_APPC_LIMIT', archive(header({ type: 'L', size: 8 * 1024 ** 3 - 1 }))],
    ['a PAX record longer than its header', 'ERR_RKT_APPC_TAR_PAX', archive(rawPax('99 path=a\n'), file('x'))],
    ['a PAX record of no length', 'ERR_RKT_APPC_TAR_PAX', archive(rawPax('0 path=a\n'), file('x'))],
    ['a PAX record that does not end', 'ERR_RKT_APPC_TAR_PAX', archive(rawPax('9 path=ab'), file('x'))],
    ['a PAX record without a value', 'ERR_RKT_APPC_TAR_PAX', archive(rawPax('8 path1\n'), file('x'))],
    ['a PAX record without a key', 'ERR_RKT_APPC_TAR_PAX', archive(rawPax('5 =a\n'), file('x'))],
    ['a PAX record length that is no number', 'ERR_RKT_APPC_TAR_PAX', archive(rawPax('a path=b\n'), file('x'))],
    ['a PAX header of zeros', 'ERR_RKT_APPC_TAR_PAX', archive(rawPax('\0'.repeat(512)), file('x'))],
    [
      '65 KiB of extended attributes',
      'ERR_RKT_APPC_LIMIT',
      archive(pax([['SCHILY.xattr.user.a', 'x'.repeat(65_536)]]), file('x')),
    ],
    ['an extended attribute without a name', 'ERR_RKT_APPC_TAR_PAX', archive(pax([['SCHILY.xattr.', 'x']]), file('x'))],
    ['overlapping sparse runs', 'ERR_RKT_APPC_TAR_SPARSE', sparse('0,3,2,1', 'abcd')],
    ['sparse runs out of order', 'ERR_RKT_APPC_TAR_SPARSE', sparse('10,2,0,2', 'abcd')],
    ['a sparse run beyond the file', 'ERR_RKT_APPC_TAR_SPARSE', sparse('9998,4', 'abcd')],
    ['a sparse map that is not the data', 'ERR_RKT_APPC_TAR_SPARSE', sparse('0,3', 'abcd')],
    ['a sparse map with half a run', 'ERR_RKT_APPC_TAR_SPARSE', sparse('0,4,5', 'abcd')],
    ['a sparse map of words', 'ERR_RKT_APPC_TAR_SPARSE', sparse('0,four', 'abcd')],
    [
      'a sparse file of unknown size',
      'ERR_RKT_APPC_TAR_SPARSE',
      archive(pax([['GNU.sparse.map', '0,1']]), file('s', 'a')),
    ],
    ['a hole of 8 PiB', 'ERR_RKT_APPC_LIMIT', sparse('0,4', 'abcd', String(2 ** 53 - 1))],
    ['an old sparse file in ustar', 'ERR_RKT_APPC_TAR_SPARSE', archive(header({ type: 'S' }))],
    ['a sparse map longer than its content', 'ERR_RKT_APPC_TAR_SPARSE', archive(pax(sparse10), file('s', '9\n0\n1\n'))],
    ['a sparse map of endless digits', 'ERR_RKT_APPC_TAR_SPARSE', archive(pax(sparse10), file('s', '1'.repeat(4096)))],
    ['a sparse map of a billion runs', 'ERR_RKT_APPC_LIMIT', archive(pax(sparse10), file('s', '1000000000\n'))],
  ])('for %s', (_what, code, tar) => {
    expect(appcError(() => indexOf(tar)).code).toBe(code);
  });
});

describe('limits', () => {
  const two = archive(file('one'), file('two'));
  it('bound entries', () => {
    expect(appcError(() => indexOf(two, { maxEntries: 1 })).code).toBe('ERR_RKT_APPC_LIMIT');
    expect(indexOf(two, { maxEntries: 2 }).entries).toHaveLength(2);
  });
  it('bound what an index holds in memory', () => {
    expect(appcError(() => indexOf(two, { maxMetadataBytes: 5 })).code).toBe('ERR_RKT_APPC_LIMIT');
    expect(indexOf(two, { maxMetadataBytes: 6 }).entries).toHaveLength(2);
  });
  it('bound extents of sparse files', () => {
    expect(appcError(() => indexOf(sparse('0,1,5,1', 'ab'), { maxSparseExtents: 1 })).code).toBe('ERR_RKT_APPC_LIMIT');
  });
  it('stop an endless chain of sparse extension blocks', () => {
    const number = '00000000000\0';
    const extension = Buffer.concat([padded((number + number).repeat(21))]);
    extension[504] = 1;
    const indexer = createLayerIndexer({ maxSparseExtents: 1000 });
    const patch = new Map([
      [386, Buffer.from((number + number).repeat(4))],
      [482, Buffer.from([1])],
      [483, Buffer.from(number)],
    ]);
    indexer.push(header({ type: 'S', magic: 'ustar  \0', patch }));
    const error = appcError(() => {
      for (let count = 0; count < 100; count += 1) indexer.push(extension);
    });
    expect(error.code).toBe('ERR_RKT_APPC_LIMIT');
  });
});

it('shows no control character of an image in a message', () => {
  const { message } = appcError(() => indexOf(archive(file('../\x1b[2J\u0007"'))));
  expect(message).toBe('path leaves the root: "../\\x1b[2J\\x07\\""');
});
