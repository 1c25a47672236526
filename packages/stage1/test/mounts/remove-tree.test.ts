// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHost, type Host, type SpawnRequest } from '../../src/host/index.ts';
import { removeTree } from '../../src/mounts/index.ts';

let dir: string;
let spawned: string[];
let host: Host;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-remove-tree-'));
  spawned = [];
  const real = createHost();
  const spawn = (request: SpawnRequest) => {
    spawned.push(request.file);
    return real.processes.spawn(request);
  };
  host = { ...real, processes: { ...real.processes, spawn } };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('removes a small tree without another process, and nothing a link points at', async () => {
  const outside = join(dir, 'outside');
  const tree = join(dir, 'tree');
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), 'stays');
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  writeFileSync(join(tree, 'a/b/file'), '');
  symlinkSync(outside, join(tree, 'a/link'));
  symlinkSync('nowhere', join(tree, 'dangling'));
  await removeTree(host, tree);
  expect([existsSync(tree), spawned]).toEqual([false, []]);
  expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('stays');
  await removeTree(host, tree);
});

it.each([
  ['wide', (tree: string) => Array.from({ length: 300 }, (_, index) => join(tree, `${index}`))],
  ['deep', (tree: string) => [join(tree, ...Array.from({ length: 40 }, () => 'd'))]],
])('leaves what is %s to rm', async (_, directories) => {
  const tree = join(dir, 'tree');
  for (const directory of directories(tree)) mkdirSync(directory, { recursive: true });
  await removeTree(host, tree);
  expect([existsSync(tree), spawned.length]).toEqual([false, 1]);
});

it('removes names that are no text', async () => {
  const tree = join(dir, 'tree');
  mkdirSync(tree);
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe])]), '');
  await removeTree(host, tree);
  expect(existsSync(tree)).toBe(false);
});
