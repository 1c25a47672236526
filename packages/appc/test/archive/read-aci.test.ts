// SPDX-License-Identifier: Apache-2.0
import type { Buffer } from 'node:buffer';
import { splitAciIndex } from '@rkt/appc';
import { expect, it } from 'vitest';
import { appcError } from '../appc-error.ts';
import { archive, file, header, indexOf, pax } from '../tar-fixtures.ts';

const manifest = file('manifest', '{}');
const rootfs = header({ name: 'rootfs/', type: '5' });

it('finds the manifest and makes the root filesystem a layer', () => {
  const link = header({ name: 'rootfs/b', type: '1', linkname: './rootfs/a' });
  const tar = archive(header({ name: './', type: '5' }), rootfs, file('./rootfs/a', 'x'), link, manifest);
  const split = splitAciIndex(indexOf(tar));
  expect(split.manifest).toMatchObject({ path: 'manifest', size: 2, extents: [{ length: 2 }] });
  expect(split.rootfs.size).toBe(tar.length);
  expect(split.rootfs.entries).toMatchObject([
    { path: '', kind: 'directory', headerOffset: 512 },
    { path: 'a', kind: 'file', extents: [{ tarOffset: 1536 }] },
    { path: 'b', kind: 'hardlink', target: 'a' },
  ]);
});

it.each<[string, readonly Buffer[]]>([
  ['no manifest', [rootfs]],
  ['no rootfs', [manifest]],
  ['something else at the top', [manifest, rootfs, file('extra')]],
  ['something called almost rootfs', [manifest, rootfs, file('rootfsX/a')]],
  ['the manifest twice', [manifest, rootfs, manifest]],
  ['a path twice', [manifest, rootfs, file('rootfs/a'), file('rootfs/./a')]],
  ['a link as manifest', [rootfs, header({ name: 'manifest', type: '2', linkname: 'rootfs/x' })]],
  ['an empty manifest', [rootfs, file('manifest')]],
  [
    'a manifest with holes',
    [
      rootfs,
      pax([
        ['GNU.sparse.size', '9'],
        ['GNU.sparse.map', '0,1'],
      ]),
      file('manifest', '{'),
    ],
  ],
  ['a link as rootfs', [manifest, header({ name: 'rootfs', type: '2', linkname: '/' })]],
  ['a hard link to the manifest', [manifest, rootfs, header({ name: 'rootfs/m', type: '1', linkname: 'manifest' })]],
  ['a hard link to the rootfs', [manifest, rootfs, header({ name: 'rootfs/m', type: '1', linkname: 'rootfs' })]],
])('refuses an ACI with %s', (_what, parts) => {
  expect(appcError(() => splitAciIndex(indexOf(archive(...parts)))).code).toBe('ERR_RKT_APPC_ACI_LAYOUT');
});
