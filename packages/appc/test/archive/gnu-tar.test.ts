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
import { indexOf } from '../tar-fixtures.ts';
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

function contentOf(node: FileNode, archive: Buffer): Buffer {
  const content = Buffer.alloc(node.size);
  for (const { fileOffset, tarOffset, length } of node.extents)
    archive.copy(content, fileOffset, tarOffset, tarOffset + length);
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
    const archive = tar('-C', source, ...options, '--numeric-owner', '-cf', '-', '.');
    const nodes = nodesByPath(mergeLayers([{ diffId: 'sha256:0', index: indexOf(archive, {}, 70_001) }]));
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
      if (node.kind === 'file') expect(contentOf(node, archive).equals(readFileSync(join(source, real)))).toBe(true);
      if (node.kind === 'symlink') expect(node.target).toBe(readlinkSync(join(source, real)));
    }
    expect(nodes.get('zz-hard')).toBe(nodes.get('plain'));
    if (options.includes('--sparse')) expect((nodes.get('sparse') as FileNode).extents.length).toBeGreaterThan(5);
  });
});

describe('an ACI', () => {
  it('is listed and extracted by GNU tar as what it was made from', () => {
    const archive = tar('-C', source, '--format=pax', '--sparse', '-cf', '-', '.');
    const tree = mergeLayers([{ diffId: 'sha256:0', index: indexOf(archive) }]);
    const aci = join(work, 'image.aci');
    writeFileSync(aci, aciBytes(aciSegments(tree, Buffer.from('{}')), [archive]));
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
  it('keeps extended attributes that GNU tar wrote', () => {
    const script = 'import os,sys; os.setxattr(sys.argv[1], "user.origin", b"a=b\\0c")';
    execFileSync('python3', ['-c', script, join(source, 'plain')]);
    const archive = tar('-C', source, '--format=pax', '--xattrs', '-cf', '-', 'plain');
    const tree = mergeLayers([{ diffId: 'sha256:0', index: indexOf(archive) }]);
    expect([...(nodesByPath(tree).get('plain')?.attributes.xattrs ?? [])]).toEqual([['user.origin', 'a=b\0c']]);
    const aci = join(work, 'xattrs.aci');
    writeFileSync(aci, aciBytes(aciSegments(tree, Buffer.from('{}')), [archive]));
    const target = join(work, 'with-xattrs');
    mkdirSync(target);
    tar('-C', target, '--xattrs', '-xf', aci);
    const read = 'import os,sys; sys.stdout.buffer.write(os.getxattr(sys.argv[1], "user.origin"))';
    expect(execFileSync('python3', ['-c', read, join(target, 'rootfs/plain')]).toString('latin1')).toBe('a=b\0c');
  });
});
