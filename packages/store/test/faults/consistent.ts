// SPDX-License-Identifier: Apache-2.0
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openStore, type Store } from '@rkt/store';
import { expect } from 'vitest';
import { putImage } from '../put-image.ts';
import { copyStore } from './copy-store.ts';
import { kept, type Task, wanted } from './tasks.ts';

export interface Expectation {
  /** Whether there was an image before that has nothing to do with the task. */
  readonly hadKept: boolean;
  /** Whether to see that everything can be done again. @default true */
  readonly again?: boolean;
}

/** Checks a store after a task was stopped midway by the end of its process, or failed. */
export async function expectConsistent(dir: string, task: Task, { hadKept, again }: Expectation): Promise<void> {
  if (!task.done && hadKept) await expectGoneForGood(dir, task);
  await using store = await openStore(dir);
  expect(namesIn(dir, 'cas/tmp')).toEqual([]);
  const ids = (await store.listImages()).map(({ id }) => id);
  if (hadKept) expect(ids).toContain(kept.put.id);
  if (task.stopped === 'there') expect(ids).toContain(task.image);
  // What was being repaired may still be damaged: then it is repaired now.
  const first = await kinds(store);
  expect(first.filter((kind) => kind !== 'tree-rebuilt')).toEqual(ids.map(() => 'image-ok'));
  if (first.length > ids.length) expect(await kinds(store)).toEqual(ids.map(() => 'image-ok'));
  await expectNothingElse(store, ids);
  if (again === false) return;
  await putImage(store, wanted);
  await putImage(store, kept);
  expect(new Set(await kinds(store))).toEqual(new Set(['image-ok']));
  expectReadableAsCas(dir);
  for (const id of new Set([wanted.put.id, kept.put.id, ...ids])) await store.removeImage(id);
  await expectNothingElse(store, []);
}

/** What was removed does not come back when the database is made again from the files. */
async function expectGoneForGood(dir: string, { image }: Task): Promise<void> {
  const copy = `${dir}-without-database`;
  copyStore(dir, copy);
  try {
    const database = join(copy, 'cas/db');
    const isRemoved = !hasRow(database, image);
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true });
    await using store = await openStore(copy);
    const ids = (await store.listImages()).map(({ id }) => id);
    expect(ids).toContain(kept.put.id);
    if (isRemoved) expect(ids).not.toContain(image);
    expect(namesIn(copy, 'cas/tmp')).toEqual([]);
    await putImage(store, wanted);
    expect(new Set(await kinds(store))).toEqual(new Set(['image-ok']));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function hasRow(database: string, image: string): boolean {
  const connection = new DatabaseSync(database);
  try {
    return connection.prepare('SELECT 1 FROM images WHERE id = ?').get(image) !== undefined;
  } finally {
    connection.close();
  }
}

/** Checks a store after a task was done to its end. */
export async function expectDone(dir: string, task: Task): Promise<void> {
  await using store = await openStore(dir);
  const ids = (await store.listImages()).map(({ id }) => id);
  expect(ids.includes(task.image)).toBe(task.done);
  expect(await kinds(store)).toEqual(ids.map(() => 'image-ok'));
}

/** A collection leaves the files of the images that are in use, and no other. */
async function expectNothingElse(store: Store, ids: readonly string[]): Promise<void> {
  await using lease = await store.lease();
  for (const { id } of await store.listImages()) await lease.retain(id);
  await store.gc({ graceMs: 0 });
  const { dir } = store;
  expect(namesIn(dir, 'locks')).toEqual([]);
  expect(namesIn(dir, 'cas/tmp')).toEqual([]);
  expect(namesIn(dir, 'cas/images').toSorted()).toEqual(ids.toSorted());
  const layers = (await store.listImages()).flatMap((image) => image.layers);
  const hexes = [...new Set(layers)].map((diffId) => diffId.slice('sha256:'.length));
  const files = namesIn(dir, 'cas/layers/sha256').flatMap((shard) => namesIn(dir, `cas/layers/sha256/${shard}`));
  expect(files.toSorted()).toEqual(hexes.flatMap((hex) => [`${hex}.idx`, `${hex}.tar`]).toSorted());
  for (const name of namesIn(dir, 'cas/trees')) expect(ids).toContain(name.replace('.erofs', ''));
}

/** Where the store is given to a group, all that is in it for the group is. */
function expectReadableAsCas(dir: string): void {
  const { mode } = statSync(join(dir, 'cas'));
  for (const within of ['cas/layers', 'cas/images']) {
    for (const entry of readdirSync(join(dir, within), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory()) expect([path, statSync(path).mode]).toEqual([path, mode]);
    }
  }
}

async function kinds(store: Store): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { kind } of store.verify()) found.push(kind);
  return found;
}

function namesIn(dir: string, path: string): readonly string[] {
  return readdirSync(join(dir, path));
}
