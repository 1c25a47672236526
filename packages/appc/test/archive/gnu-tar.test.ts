// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aciSegments, type FileNode, mergeLayers } from '@rkt/appc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archive, file, indexOf, pax } from '../tar-fixtures.ts';
import { nodesByPath } from '../tree-text.ts';
import { aciBytes } from './aci-bytes.ts';

/** GNU tar as the judge: it writes the archives that are indexed here, and reads the ACIs that are written here. */
const work = mkdtempSync(join(tmpdir(), 'appc-gnu-tar-'));
const source = join(work, 'source');
const deep = join('long'.repeat(20), 'path'.repeat(30), 'name'.repeat(40));
const names = ['plain', 'empty', 'linked', 'caf\u00e9', 'quote"d', ...[deep]];

function tar(...args: readonly string[]): Buffer {
  const options = {
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
  };
  return execFileSync('tar', args, options);
}

beforeAll(() => {
  mkdirSync(join(source, deep, '..'), { recursive: true });
  for (const name of names)
    writeFileSync(join(source, name), name === 'empty' ? '' : `content of ${name} `.repeat(100));
  linkSync(join(source, 'plain'), join(source, 'zz-hard'));
  symlinkSync('../elsewhere', join(source, 'symlink'));
  symlinkSync(`/${'t'.repeat(180)}`, join(source, 'long-symlink'));
  const sparse = openSync(join(source, 'sparse'), 'w');
  for (const at of [0, 1 << 20, 3 << 20, 5 << 20, 7 << 20, 9 << 20, 11 << 20]) writeSync(sparse, `data at ${at}`, at);
  closeSync(sparse);
  truncateSync(join(source, 'sparse'), 16 << 20);
  utimesSync(join(source, 'plain'), 1_600_000_000.5, 1_600_000_000.25);
  utimesSync(join(source, 'empty'), 0, 1_500_000_000);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

function contentOf(node: FileNode, written: Buffer): Buffer {
  const content = Buffer.alloc(node.size);
  for (const { fileOffset, tarOffset, length } of node.extents)
    written.copy(content, fileOffset, tarOffset, tarOffset + length);
  return content;
}

describe.each([
  ['gnu', ['--format=gnu']],
  ['pax', ['--format=pax']],
  ['gnu sparse', ['--format=gnu', '--sparse']],
  ['pax sparse 0.0', ['--format=pax', '--sparse', '--sparse-version=0.0']],
  ['pax sparse 0.1', ['--format=pax', '--sparse', '--sparse-version=0.1']],
  ['pax sparse 1.0', ['--format=pax', '--sparse', '--sparse-version=1.0']],
  ['ustar', ['--format=ustar', '--exclude=./long*']],
  ['v7', ['--format=v7', '--exclude=./long*']],
])('an archive of GNU tar in format %s', (format, options) => {
  it('is indexed with what the files are', () => {
    const written = tar('-C', source, ...options, '--numeric-owner', '-cf', '-', '.');
    const nodes = nodesByPath(mergeLayers([{ diffId: 'sha256:0', index: indexOf(written, {}, 70_001) }]));
    const listed = tar(
      '-C',
      source,
      ...options,
      '-cf',
      '/dev/null',
      '-v',
      '--quoting-style=literal',
      '--show-transformed-names',
      '.',
    );
    const paths = listed
      .toString('latin1')
      .trim()
      .split('\n')
      .map((path) => path.replace(/^\.\/|\/$/g, '').replace(/^\.$/, ''));
    expect([...nodes.keys()].sort()).toEqual(paths.sort());
    for (const [path, node] of nodes) {
      const real = Buffer.from(path, 'latin1').toString();
      const stats = lstatSync(join(source, real), { bigint: true });
      const { mode, uid, gid, mtime, mtimeNanoseconds } = node.attributes;
      expect([mode, uid, gid, mtime]).toEqual(
        [stats.mode & 0o7777n, stats.uid, stats.gid, stats.mtimeNs / 1_000_000_000n].map(Number),
      );
      if (format.startsWith('pax')) expect(mtimeNanoseconds).toBe(Number(stats.mtimeNs % 1_000_000_000n));
      if (node.kind === 'file') expect(contentOf(node, written).equals(readFileSync(join(source, real)))).toBe(true);
      if (node.kind === 'symlink') expect(node.target).toBe(readlinkSync(join(source, real)));
    }
    expect(nodes.get('zz-hard')).toBe(nodes.get('plain'));
    if (options.includes('--sparse')) expect((nodes.get('sparse') as FileNode).extents.length).toBeGreaterThan(5);
  });
});

describe('an ACI', () => {
  it('is listed and extracted by GNU tar as what it was made from', () => {
    const written = tar('-C', source, '--format=pax', '--sparse', '-cf', '-', '.');
    const tree = mergeLayers([{ diffId: 'sha256:0', index: indexOf(written) }]);
    const aci = join(work, 'image.aci');
    writeFileSync(aci, aciBytes(aciSegments(tree, Buffer.from('{}')), [written]));
    const listed = tar('-tf', aci, '--quoting-style=literal').toString('latin1').trim().split('\n');
    const expected = [
      'manifest',
      ...[...nodesByPath(tree).keys()].map((path) => (path === '' ? 'rootfs' : `rootfs/${path}`)),
    ];
    expect(listed.map((path) => path.replace(/\/$/, '')).sort()).toEqual(expected.sort());

    const target = join(work, 'extracted');
    mkdirSync(target);
    tar('-C', target, '--same-permissions', '-xf', aci);
    execFileSync('diff', ['-r', '--no-dereference', source, join(target, 'rootfs')]);
    for (const name of [...names, 'sparse', '.']) {
      const [left, right] = [join(source, name), join(target, 'rootfs', name)].map((path) =>
        lstatSync(path, { bigint: true }),
      );
      expect([right?.mode, right?.mtimeNs, right?.nlink]).toEqual([left?.mode, left?.mtimeNs, left?.nlink]);
    }
    expect(lstatSync(join(target, 'rootfs/zz-hard')).ino).toBe(lstatSync(join(target, 'rootfs/plain')).ino);
  });
  it('keeps extended attributes, as GNU tar writes and restores them', () => {
    const value = 'a=b\0c';
    const seed = join(work, 'seed.tar');
    writeFileSync(seed, archive(pax([['SCHILY.xattr.user.origin', value]]), file('seeded', 'x')));
    const target = join(work, 'with-xattrs');
    mkdirSync(target);
    tar('-C', target, '--xattrs', '-xf', seed);
    const written = tar('-C', target, '--format=pax', '--xattrs', '-cf', '-', 'seeded');
    const tree = mergeLayers([{ diffId: 'sha256:0', index: indexOf(written) }]);
    expect([...(nodesByPath(tree).get('seeded')?.attributes.xattrs ?? [])]).toEqual([['user.origin', value]]);

    const aci = join(work, 'xattrs.aci');
    writeFileSync(aci, aciBytes(aciSegments(tree, Buffer.from('{}')), [written]));
    tar('-C', target, '--xattrs', '-xf', aci);
    const again = indexOf(tar('-C', target, '--format=pax', '--xattrs', '-cf', '-', 'rootfs/seeded'));
    expect([...(again.entries[0]?.xattrs ?? [])]).toEqual([['user.origin', value]]);
  });
});
