// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTreeSyscalls, type TreeSyscalls } from '../../src/host/tree-syscalls.ts';

let scratch: string;
let directory: number;
let calls: TreeSyscalls;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'syscalls-'));
  writeFileSync(join(scratch, 'there'), 'x');
  directory = openSync(scratch, 'r');
  calls = await loadTreeSyscalls();
});
afterAll(() => {
  closeSync(directory);
  rmSync(scratch, { recursive: true, force: true });
});

const NO_FILE = 999_999;
const time = { seconds: 0, nanoseconds: 0 };

it.each([
  ['openat', 'ENOENT', () => calls.openat(directory, 'missing', 0, 0)],
  ['mkdirat', 'EEXIST', () => calls.mkdirat(directory, 'there', 0o700)],
  ['symlinkat', 'EEXIST', () => calls.symlinkat('x', directory, 'there')],
  ['linkat', 'ENOENT', () => calls.linkat({ directory, name: 'missing' }, { directory, name: 'new' })],
  ['mknodat', 'EEXIST', () => calls.mknodat(directory, 'there', { mode: 0o010600, device: 0n })],
  ['fchownat', 'ENOENT', () => calls.fchownat({ directory, name: 'missing' }, 0, 0)],
  ['utimensat', 'ENOENT', () => calls.utimensat({ directory, name: 'missing' }, time)],
  ['futimens', 'EBADF', () => calls.futimens(NO_FILE, time)],
  ['fsetxattr', 'EBADF', () => calls.fsetxattr(NO_FILE, 'user.x', Buffer.of())],
  ['lsetxattr', 'ENOENT', () => calls.lsetxattr({ directory, name: 'missing' }, 'user.x', Buffer.of())],
  [
    'copy_file_range',
    'EBADF',
    () => calls.copyFileRange({ file: NO_FILE, offset: 0 }, { file: NO_FILE, offset: 0 }, 1),
  ],
] as const)('%s reports %s', (syscall, code, act) => {
  expect(act).toThrow(expect.objectContaining({ name: 'SystemCallError', syscall, code }));
});

it('refuses names that the kernel would see cut', () => {
  expect(() => calls.mkdirat(directory, 'a\0b', 0o700)).toThrow(TypeError);
});
