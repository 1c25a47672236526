// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Fills a directory with one of everything a Linux file system has. Needs root. */
export function makeEverything(root: string): void {
  makeFiles(root);
  makeSparseFiles(root);
  makeLinks(root);
  makeSpecials(root);
  makeXattrs(root);
  makeNames(root);
  mkdirSync(join(root, 'closed'));
  writeFileSync(join(root, 'closed', 'inside'), 'x');
  chownSync(join(root, 'closed'), 100_000, 200_000);
  chmodSync(join(root, 'closed'), 0o3511);
  touch(join(root, 'closed'), '1960-02-03 04:05:06.987654321 UTC');
  touch(root, '2001-02-03 04:05:06.7 UTC');
}

function makeFiles(root: string): void {
  for (const size of [0, 1, 511, 512, 513, 4095, 4096, 4097, 65_536, 3_000_001]) {
    writeFileSync(join(root, `size-${size}`), Buffer.alloc(size, `content of ${size};`));
  }
  writeFileSync(join(root, 'setuid'), '#!');
  chownSync(join(root, 'setuid'), 65_535, 65_536);
  chmodSync(join(root, 'setuid'), 0o6751);
  writeFileSync(join(root, 'future'), '');
  utimesSync(join(root, 'future'), 5_000_000_000, 5_000_000_000);
  touch(join(root, 'size-1'), '2020-01-01 00:00:00.000000001 UTC');
  touch(join(root, 'size-511'), '1969-12-31 23:59:58.500000000 UTC');
}

function makeSparseFiles(root: string): void {
  sparse(join(root, 'sparse-tail-hole'), 1 << 20, [[0, 'head']]);
  sparse(join(root, 'sparse-middle'), 300_001, [
    [0, 'a'.repeat(5000)],
    [131_072, 'b'.repeat(4096)],
    [299_000, 'c'.repeat(1001)],
  ]);
  sparse(join(root, 'sparse-all-hole'), 10_000_000, []);
}

function sparse(path: string, size: number, pieces: readonly (readonly [number, string])[]): void {
  const handle = openSync(path, 'w');
  ftruncateSync(handle, size);
  for (const [offset, text] of pieces) writeSync(handle, text, offset);
  closeSync(handle);
}

function makeLinks(root: string): void {
  symlinkSync('../outside', join(root, 'link'));
  symlinkSync('t'.repeat(440), join(root, 'link-440'));
  symlinkSync('t'.repeat(511), join(root, 'link-511'));
  symlinkSync('t'.repeat(512), join(root, 'link-512'));
  symlinkSync('t'.repeat(4095), join(root, 'link-4095'));
  lchownSync(join(root, 'link'), 12, 34);
  touch(join(root, 'link'), '2019-01-01 00:00:00.25 UTC');
  mkdirSync(join(root, 'a', 'b'), { recursive: true });
  writeFileSync(join(root, 'a', 'b', 'first'), 'linked');
  linkSync(join(root, 'a', 'b', 'first'), join(root, 'second'));
  linkSync(join(root, 'a', 'b', 'first'), join(root, 'a', 'third'));
  linkSync(join(root, 'link-511'), join(root, 'a', 'linked-link'));
}

function makeSpecials(root: string): void {
  const mknod = (...parameters: string[]): void => void execFileSync('mknod', parameters);
  mknod('--mode=0666', join(root, 'null'), 'c', '1', '3');
  mknod('--mode=0660', join(root, 'disk'), 'b', '259', '70000');
  mknod('--mode=0622', join(root, 'fifo'), 'p');
  chownSync(join(root, 'disk'), 0, 6);
  linkSync(join(root, 'null'), join(root, 'a', 'null-again'));
  touch(join(root, 'null'), '2018-01-01 00:00:00.125 UTC');
}

function makeXattrs(root: string): void {
  const set = (name: string, value: string, path: string): void =>
    void execFileSync('setfattr', ['--no-dereference', `--name=${name}`, `--value=${value}`, join(root, path)]);
  writeFileSync(join(root, 'capable'), 'x');
  set('security.capability', '0x0100000200200000000000000000000000000000', 'capable');
  set('user.text', 'some value', 'capable');
  set('user.empty', '', 'capable');
  set('user.long', 'v'.repeat(3000), 'a');
  set('trusted.thing', '0xfffe00', 'a/b');
  set('trusted.thing', 'on a link', 'link');
  set('system.posix_acl_access', ACL, 'size-4096');
  set('system.posix_acl_default', ACL, 'a/b');
}

/** user::rw-, user:1000:r--, group::r--, mask::r--, other::--- in the kernel's binary form. */
const ACL = `0x02000000${['0100', '0600', 'ffffffff'].join('')}${['0200', '0400', 'e8030000'].join('')}${[
  '0400',
  '0400',
  'ffffffff',
].join('')}${['1000', '0400', 'ffffffff'].join('')}${['2000', '0000', 'ffffffff'].join('')}`;

function makeNames(root: string): void {
  const directory = join(root, 'names');
  mkdirSync(directory);
  const names = [
    '!',
    '-rf',
    ' ',
    '...',
    '.hidden',
    '\n',
    '\x01',
    '\xff\xfe',
    '\xc3\xa4',
    'e\xcc\x81',
    '\x7f',
    'n'.repeat(255),
  ];
  for (const name of [...names, ...Array.from({ length: 300 }, (_, index) => `numbered-${index}`)]) {
    writeFileSync(Buffer.from(`${directory}/${name}`, 'latin1'), name);
  }
  for (const name of ['__proto__', 'constructor', 'toString']) mkdirSync(join(directory, name));
}

function touch(path: string, date: string): void {
  execFileSync('touch', ['--no-dereference', `--date=${date}`, path]);
}
