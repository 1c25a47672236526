// SPDX-License-Identifier: Apache-2.0
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@rkt/store';
import { expect, it } from 'vitest';
import { isSameDirectory } from '../src/verify/same-directory.ts';
import { deepImage } from './awkward-image.ts';
import { putImage } from './put-image.ts';
import { runNode } from './run-node.ts';
import { temporaryDirectory } from './temporary-directory.ts';

it('compares, measures and removes directories deeper than any path', async () => {
  const dir = temporaryDirectory();
  await using store = await openStore(dir);
  const image = deepImage();
  await putImage(store, image);
  const lease = await store.lease();
  await lease.retain(image.put.id);
  const tree = await store.renderTree(image.put.id, { backend: 'directory', lease });
  if (tree.type !== 'directory') throw new Error(`rendered as ${tree.type}`);
  await lease[Symbol.asyncDispose]();
  expect(await isSameDirectory(tree.path, tree.path, undefined)).toBe(true);
  const plan = await store.gc({ graceMs: -1, dryRun: true });
  expect(plan.find(({ kind }) => kind === 'tree')?.size).toBe('text'.length);
  expect(await store.gc({ graceMs: -1 })).toEqual(plan);
  expect([...readdirSync(join(dir, 'cas/trees')), ...readdirSync(join(dir, 'cas/tmp'))]).toEqual([]);
});

it('extracts and removes directories that bar their owner, without being root', async () => {
  const dir = temporaryDirectory();
  chmodSync(dir, 0o755);
  const own = join(dir, 'own');
  mkdirSync(own);
  chownSync(own, 65_534, 65_534);
  const outcome = await runNode('extract-as-nobody.ts', dir, own);
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(outcome.stdout)).toEqual(['directory', 'tree', 'image', 'layer']);
  expect([...readdirSync(join(own, 'cas/trees')), ...readdirSync(join(own, 'cas/tmp'))]).toEqual([]);
});
