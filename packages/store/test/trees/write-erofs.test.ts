// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { DirectoryNode, TreeNode } from '@rkt/appc';
import { describe, expect, it } from 'vitest';
import { writeErofs } from '../../src/trees/erofs/index.ts';
import { device, directory, file, plain, symlink, treeWith } from './support/nodes.ts';

const sample: Readonly<Record<string, TreeNode>> = {
  bin: directory({ tool: file(5000), alias: symlink('tool') }),
  empty: file(0),
  null: device('character-device', 1, 3),
};

describe('writeErofs', () => {
  it('gives equal bytes for equal trees, however their maps are ordered', () => {
    const reversed = Object.fromEntries(Object.entries(sample).reverse());
    expect(Object.keys(reversed)).not.toEqual(Object.keys(sample));
    expect(writeErofs(treeWith(directory(reversed)))).toEqual(writeErofs(treeWith(directory(sample))));
  });

  it('keeps its bytes from version to version: a changed image is a damaged image to `verify`', () => {
    const digest = createHash('sha256')
      .update(writeErofs(treeWith(directory(sample))))
      .digest('hex');
    expect(digest).toBe('b0cdec5cf9f8cd5ae79c16fc68b8708aabd04c38c86486c189fdc9da304e0f72');
  });

  it('names the volume by its layers and their order', () => {
    const layers = ['12', '34'].map((byte) => ({ diffId: `sha256:${byte.repeat(32)}`, size: 1024 }));
    const id = (of: typeof layers): string =>
      Buffer.from(writeErofs({ layers: of, root: directory({}) })).toString('hex', 1072, 1088);
    expect(id(layers)).toMatch(/^[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
    expect(new Set([id(layers), id(layers.toReversed()), id(layers.slice(1)), id([])]).size).toBe(4);
  });

  it('needs 32 bytes less for every inode that has the time most have', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `f${index}`);
    const size = (time: (index: number) => number): number =>
      writeErofs(
        treeWith(
          directory(Object.fromEntries(names.map((name, index) => [name, file(0, 512, { mtime: time(index) })]))),
        ),
      ).length;
    expect(size((index) => index) - size(() => 7)).toBeGreaterThan(31_000);
  });

  it('writes nothing that overlayfs would obey', () => {
    const overlay = new Map([
      ['trusted.overlay.opaque', 'y'],
      ['trusted.overlay.redirect', '/etc'],
      ['user.overlay.whiteout', ''],
    ]);
    const hidden = {
      dir: directory({}, { xattrs: overlay }),
      kept: file(0),
      whiteout: device('character-device', 0, 0),
    };
    const shown = { dir: directory({}), kept: file(0) };
    expect(writeErofs(treeWith(directory(hidden)))).toEqual(writeErofs(treeWith(directory(shown))));
  });

  it('leaves out attributes no kernel would show', () => {
    const odd = new Map([
      ['system.posix_acl_access', 'not an ACL'],
      ['system.posix_acl_default', '\x02\0\0\0'],
      ['system.nfs4_acl', 'x'],
      ['nonsense', 'x'],
      ['user.', 'x'],
      ['user.a\0b', 'x'],
    ]);
    const tree = treeWith(directory({ f: file(0, 512, { xattrs: odd }) }));
    expect(writeErofs(tree)).toEqual(writeErofs(treeWith(directory({ f: file(0) }))));
  });
});

describe('writeErofs refuses', () => {
  it.each(['', '.', '..', 'a/b', 'nul\0', 'x'.repeat(256)])('the file name %j', (name) => {
    expect(() => writeErofs(treeWith(directory({ [name]: file(0) })))).toThrow(
      expect.objectContaining({ code: 'ERR_RKT_STORE_TREE_INVALID' }),
    );
  });

  const invalid = { code: 'ERR_RKT_STORE_TREE_INVALID', subject: 'd/x' };
  const unsupported = { code: 'ERR_RKT_STORE_TREE_UNSUPPORTED', subject: 'd/x' };
  const cases: readonly (readonly [string, TreeNode, object])[] = [
    ['content outside the layer', file(1000, 65_024), invalid],
    ['content of a layer that is not there', { ...file(10), origin: { layer: 1, headerOffset: 0 } }, invalid],
    ['a file size that is no number', { ...file(10), size: Number.NaN }, invalid],
    ['the user "nobody at all"', file(0, 512, { uid: 0xffffffff }), invalid],
    ['a negative group', file(0, 512, { gid: -1 }), invalid],
    ['a time beyond measure', file(0, 512, { mtime: Number.POSITIVE_INFINITY }), invalid],
    ['a second of nanoseconds', file(0, 512, { mtimeNanoseconds: 1_000_000_000 }), invalid],
    ['an empty link target', symlink(''), invalid],
    ['a link target of 4096 bytes', symlink('x'.repeat(4096)), invalid],
    ['a device number Linux has not', device('block-device', 4096, 0), invalid],
    ['unaligned content', file(512, 700), unsupported],
    ['an attribute of 64 KiB', file(0, 512, { xattrs: new Map([['user.x', 'v'.repeat(65_536)]]) }), unsupported],
    ['attributes of 300 KiB', file(0, 512, { xattrs: manyXattrs(5) }), unsupported],
  ];
  it.each(cases)('%s', (_, node, expected) => {
    expect(() => writeErofs(treeWith(directory({ d: directory({ x: node }) })))).toThrow(
      expect.objectContaining(expected),
    );
  });

  it('directories nested deeper than any path, without overflowing the stack', () => {
    let root: DirectoryNode = directory({});
    for (let depth = 0; depth < 100_000; depth += 1) root = directory({ d: root });
    expect(() => writeErofs(treeWith(root))).toThrow(
      expect.objectContaining({ code: 'ERR_RKT_STORE_TREE_UNSUPPORTED' }),
    );
  });

  it('metadata beyond a gigabyte before it is allocated', () => {
    // Every second block is a hole, so each of these files needs a million chunk indexes.
    const extents = [
      { fileOffset: 0, tarOffset: 512, length: 512 },
      { fileOffset: 2 ** 28, tarOffset: 1024, length: 512 },
    ];
    const sparse = (): TreeNode => ({ ...file(0), size: 2 ** 29, extents });
    const children = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`s${index}`, sparse()]));
    expect(() => writeErofs(treeWith(directory(children)))).toThrow(/metadata exceeds/);
  });

  it('more layers than the root inode could come after', () => {
    const layers = Array.from({ length: 4097 }, () => ({ diffId: `sha256:${'0'.repeat(64)}`, size: 1024 }));
    expect(() => writeErofs({ layers, root: directory({}) })).toThrow(/more than 4096 layers/);
  });

  it('layers larger than block addresses reach', () => {
    const layer = (size: number) => ({ diffId: `sha256:${'0'.repeat(64)}`, size });
    expect(() => writeErofs({ layers: [layer(2 ** 41)], root: directory({}) })).toThrow(/layer exceeds/);
    const size = 2 ** 41 - 512;
    const extents = [{ fileOffset: 0, tarOffset: size - 512, length: 512 }];
    const last: TreeNode = { ...file(0), size: 512, extents };
    const image = Buffer.from(writeErofs({ layers: [layer(size)], root: directory({ last }) }));
    expect(image.includes(Buffer.of(1, 0, 0xfe, 0xff, 0xff, 0xff))).toBe(true);
  });

  it('names in messages that would move a cursor', () => {
    const tree = treeWith(directory({ 'bad\x1b[2J': { ...file(0), attributes: { ...plain, uid: -1 } } }));
    expect(() => writeErofs(tree)).toThrow(/: bad\?\[2J$/);
  });
});

function manyXattrs(count: number): ReadonlyMap<string, string> {
  return new Map(Array.from({ length: count }, (_, index) => [`user.${index}`, 'v'.repeat(60_000)]));
}
