// SPDX-License-Identifier: Apache-2.0
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '@rkt/store';
import { putAci, sampleAci, sampleImage, sampleLayer } from '@rkt/store/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putImage } from './put-image.ts';
import { runNode } from './run-node.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const GROUP = 54_321;
const image = sampleImage('example.com/app:1', [sampleLayer({ 'bin/app': 'a'.repeat(3000) })]);
const aci = sampleAci({ name: 'example.com/aci' }, { a: 'a' });

/** A data directory whose `cas` is given to a group, as docs/contracts/on-disk-format.md has it. */
function givenToGroup(): string {
  const dir = temporaryDirectory();
  chmodSync(dir, 0o711);
  mkdirSync(join(dir, 'cas'));
  chownSync(join(dir, 'cas'), 0, GROUP);
  chmodSync(join(dir, 'cas'), 0o2750);
  return dir;
}

async function filled(store: Store): Promise<void> {
  await putImage(store, image);
  await putAci(store, aci);
  const lease = await store.lease();
  await lease.retain(image.put.id);
  for (const backend of ['erofs', 'directory'] as const) await store.renderTree(image.put.id, { backend, lease });
  await lease[Symbol.asyncDispose]();
}

async function readAs(dir: string, gid: number, ...paths: readonly string[]): Promise<unknown> {
  const { stdout, stderr } = await runNode('read-as-another.ts', dir, '54322', String(gid), ...paths);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

// Modes are what they are whatever it is.
let umask: number;
beforeAll(() => {
  umask = process.umask(0o077);
});
afterAll(() => void process.umask(umask));

describe('a store whose directory has been given to a group', () => {
  it('has images that the group can read, while they are written and afterwards, and nothing else', async () => {
    const dir = givenToGroup();
    const expected = {
      images: expect.arrayContaining([
        { name: 'example.com/app:1', manifest: 'example.com/app', bytes: image.put.size },
        { name: 'example.com/aci', manifest: 'example.com/aci', bytes: aci.received.size },
      ]),
      opened: ['EACCES', 'EACCES'],
      listed: ['EACCES', 'EACCES', 'EACCES'],
      written: ['EACCES', 'EACCES', 'EACCES'],
    };
    const others = [`cas/trees/${image.put.id}.erofs`, `locks/image-${image.put.id}`];
    {
      await using store = await openStore(dir);
      await filled(store);
      expect(await readAs(dir, GROUP, ...others)).toEqual(expected);
    }
    expect(await readAs(dir, GROUP, ...others)).toEqual(expected);
    expect(await readAs(dir, GROUP + 1)).toMatchObject({ images: 'ERR_RKT_STORE_PERMISSION' });
  });

  it('gives the group every file and directory that it may read, and keeps to itself what is in work', async () => {
    const dir = givenToGroup();
    await using store = await openStore(dir);
    await filled(store);
    const kept = new Set(['cas/tmp', 'cas/trees', 'locks']);
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(dir.length + 1);
      if (path.startsWith('cas/trees/')) continue;
      const { mode, gid } = lstatSync(join(dir, path));
      const expected = kept.has(path) ? 0o700 : entry.isDirectory() ? 0o750 : 0o640;
      expect([path, (mode & 0o777).toString(8)]).toEqual([path, expected.toString(8)]);
      if (path.startsWith('cas/') && !kept.has(path)) expect([path, gid]).toEqual([path, GROUP]);
    }
  });

  it('extracts trees with the groups of the image', async () => {
    const dir = givenToGroup();
    await using store = await openStore(dir);
    await filled(store);
    const tree = join(dir, 'cas/trees', image.put.id);
    for (const path of ['', 'bin', 'bin/app']) {
      const { gid, mode } = lstatSync(join(tree, path));
      expect([path, gid, mode & 0o7000]).toEqual([path, 0, 0]);
    }
  });
});

describe('a store of which a part belongs to another user', () => {
  it.each(['', 'cas', 'cas/layers/sha256', 'cas/db', 'cas/tmp', 'cas/trees', 'locks'])(
    'is not written to, not by root either: %j',
    async (path) => {
      const dir = temporaryDirectory();
      await (await openStore(dir))[Symbol.asyncDispose]();
      chownSync(join(dir, path), GROUP, 0);
      const message = `${join(dir, path)} belongs to the user with the ID ${GROUP}: use the store as that user, or another one with --dir`;
      await expect(openStore(dir)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_UNSAFE_MODE', message });
    },
  );

  it('is not made where there is none yet', async () => {
    const dir = temporaryDirectory();
    chownSync(dir, GROUP, 0);
    await expect(openStore(dir)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_UNSAFE_MODE' });
    expect(readdirSync(dir)).toEqual([]);
  });

  it.each(['cas', 'locks'])('is not used where that user made a part first, while it was made: %j', async (path) => {
    const dir = temporaryDirectory();
    const made = join(dir, path);
    const onStep = (step: string): void => {
      if (step !== `mkdir ${made}`) return;
      mkdirSync(made, { mode: 0o700 });
      chownSync(made, GROUP, 0);
    };
    const refusal = { code: 'ERR_RKT_STORE_UNSAFE_MODE', message: expect.stringContaining(`${made} belongs to`) };
    await expect(openStore(dir, { onStep })).rejects.toMatchObject(refusal);
    expect(readdirSync(join(dir, 'cas'))).not.toContain('db');
  });
});

describe('a store of an owner alone', () => {
  it('is nothing for others, also where they may look into its directory', async () => {
    const dir = temporaryDirectory();
    chmodSync(dir, 0o755);
    await using store = await openStore(dir);
    await putImage(store, image);
    expect(await readAs(dir, GROUP)).toMatchObject({ images: 'ERR_RKT_STORE_PERMISSION' });
  });
});
