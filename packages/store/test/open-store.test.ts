// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openStore, type Store } from '@rkt/store';
import { describe, expect, it } from 'vitest';
import { interceptFiles } from './faults/intercept-files.ts';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { twoLayerImage } from './two-layer-image.ts';

const image = twoLayerImage();

describe('opening a store', () => {
  it('makes directories nobody else may enter', async () => {
    const dir = join(temporaryDirectory(), 'var/lib/rkt');
    await using store = await openStore(dir);
    expect(store.dir).toBe(dir);
    for (const path of ['', 'cas', 'cas/layers/sha256', 'cas/images', 'cas/trees', 'cas/tmp', 'locks']) {
      expect(statSync(join(dir, path)).mode & 0o7777, path).toBe(0o700);
    }
    expect(readFileSync(join(dir, 'cas/format'), 'utf8')).toBe('1\n');
  });

  it('makes files nobody else may read', async () => {
    const dir = temporaryDirectory();
    await using store = await openStore(dir);
    await putImage(store, image);
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['db', 'db-wal', 'db-shm', 'manifest']));
    for (const { parentPath, name } of files) expect(statSync(join(parentPath, name)).mode & 0o7777, name).toBe(0o600);
  });

  it('makes none when told so', async () => {
    const dir = temporaryDirectory();
    for (const options of [{ create: false }, { readOnly: true }]) {
      await expect(openStore(dir, options)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_NOT_A_STORE' });
    }
    expect(readdirSync(dir)).toEqual([]);
  });

  it('leaves the store of the original rkt alone', async () => {
    const dir = temporaryDirectory();
    mkdirSync(join(dir, 'cas/blob'), { recursive: true });
    await expect(openStore(dir)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_NOT_A_STORE' });
    expect(readdirSync(join(dir, 'cas'))).toEqual(['blob']);
  });

  it('refuses a newer format and one that is none', async () => {
    const dir = await closedStore();
    writeFileSync(join(dir, 'cas/format'), '2\n');
    await expect(openStore(dir)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_NEWER_FORMAT' });
    writeFileSync(join(dir, 'cas/format'), '\u001b[31mone');
    await expect(openStore(dir)).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_CORRUPT',
      message: 'store format: expected a number, got ?[31mone',
    });
  });

  it('refuses a newer database and leaves it as it is', async () => {
    const dir = await closedStore();
    const database = new DatabaseSync(join(dir, 'cas/db'));
    database.exec('UPDATE schema_version SET version = 1000');
    database.close();
    for (const readOnly of [false, true]) {
      await expect(openStore(dir, { readOnly })).rejects.toMatchObject({ code: 'ERR_RKT_STORE_NEWER_FORMAT' });
    }
  });

  it('brings an empty database up to date', async () => {
    const dir = await closedStore();
    writeFileSync(join(dir, 'cas/db'), '');
    await using store = await openStore(dir);
    expect(await store.listImages()).toEqual([]);
  });

  it('brings a database of the first version up to date and keeps its images', async () => {
    const dir = await closedStore();
    {
      await using store = await openStore(dir);
      await putImage(store, image);
    }
    const database = new DatabaseSync(join(dir, 'cas/db'));
    database.exec('ALTER TABLE images DROP COLUMN acis; UPDATE schema_version SET version = 1');
    database.close();
    await using store = await openStore(dir);
    expect(await store.listImages()).toMatchObject([{ id: image.put.id, acis: [] }]);
  });

  it('may be undone twice', async () => {
    const store = await openStore(temporaryDirectory());
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  it('may be done many times at once, also the first time', async () => {
    const dir = temporaryDirectory();
    const stores = await Promise.all(Array.from({ length: 12 }, () => openStore(dir)));
    for (const [at, store] of stores.entries()) {
      if (at === 0) await putImage(store, image);
      expect(await store.listImages()).toHaveLength(1);
      await store[Symbol.asyncDispose]();
    }
  });

  it('removes leftovers of the dead and no others', async () => {
    const dir = await closedStore();
    await using other = await openStore(dir);
    const leave = await other.prepareLayer(`sha256:${'1'.repeat(64)}`);
    writeFileSync(join(dir, 'cas/tmp/4194305-1-00000000.1.layer'), 'left');
    writeFileSync(join(dir, 'cas/tmp/nobody'), 'left');
    mkdirSync(join(dir, 'cas/tmp/4194305-1-00000000.2.tree/sub'), { recursive: true });
    await using _store = await openStore(dir);
    expect(readdirSync(join(dir, 'cas/tmp'))).toHaveLength(1);
    if (leave.state === 'ingest') await leave.abort();
  });
});

describe('a leftover that cannot be removed', () => {
  it('keeps nobody from opening the store, and is told of by a collection', async () => {
    const dir = await closedStore();
    const fixed = join(dir, 'cas/tmp/4194305-1-00000000.1.layer');
    for (const path of [fixed, join(dir, 'cas/tmp/nobody')]) writeFileSync(path, 'left');
    const stop = await interceptFiles(fixed, ({ name }) => {
      throw Object.assign(new Error('EIO: injected'), { code: 'EIO', errno: -1, syscall: name });
    });
    // What is removed is named by the directory it is in.
    const unlink = await interceptFiles('/proc/self/fd/', ({ name, path }) => {
      if (path.endsWith(basename(fixed)))
        throw Object.assign(new Error('EIO: injected'), { code: 'EIO', syscall: name });
    });
    try {
      await using store = await openStore(dir);
      expect(readdirSync(join(dir, 'cas/tmp'))).toEqual([basename(fixed)]);
      await putImage(store, image);
      await expect(store.gc()).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IO', path: fixed });
    } finally {
      unlink();
      stop();
    }
    await using _store = await openStore(dir);
    expect(readdirSync(join(dir, 'cas/tmp'))).toEqual([]);
  });
});

describe('a store that others may write to', () => {
  it.each([
    ['', 0o2770],
    ['', 0o775],
    ['', 0o1777],
    ['cas', 0o2770],
    ['cas', 0o2775],
    ['cas', 0o2777],
    ['cas', 0o2752],
    ['cas', 0o720],
  ])('is refused, before anything is made in it, where %j has mode %o', async (path, mode) => {
    const dir = temporaryDirectory();
    mkdirSync(join(dir, 'cas'));
    chmodSync(join(dir, path), mode);
    for (const readOnly of [false, true]) await expectUnsafe(join(dir, path), openStore(dir, { readOnly }));
    expect(readdirSync(dir, { recursive: true })).toEqual(['cas']);
  });

  it.each([
    ['cas/layers', 0o2770],
    ['cas/layers/sha256', 0o770],
    ['cas/images', 0o702],
    ['cas/db', 0o660],
    ['cas/tmp', 0o2750],
    ['cas/trees', 0o710],
    ['locks', 0o701],
  ])('or enter, is refused for writing where %s has mode %o', async (path, mode) => {
    const dir = await closedStore();
    chmodSync(join(dir, path), mode);
    await expectUnsafe(join(dir, path), openStore(dir));
    expect(statSync(join(dir, path)).mode & 0o7777).toBe(mode);
  });

  it.each([0o2755, 0o750, 0o755, 0o2710])('is nobody else’s when cas has mode %o', async (mode) => {
    const dir = temporaryDirectory();
    mkdirSync(join(dir, 'cas'));
    chmodSync(join(dir, 'cas'), mode);
    await using _store = await openStore(dir);
    for (const path of ['layers', 'images']) expect(statSync(join(dir, 'cas', path)).mode & 0o777).toBe(0o700);
  });
});

async function expectUnsafe(path: string, opening: Promise<unknown>): Promise<void> {
  await expect(opening).rejects.toMatchObject({
    code: 'ERR_RKT_STORE_UNSAFE_MODE',
    path,
    message: expect.stringMatching(/^others may (enter|write to) .* has mode \d+: .* chmod /),
  });
}

describe('a store open read-only', () => {
  it('reads and refuses to write', async () => {
    const dir = await closedStore();
    {
      await using store = await openStore(dir);
      await putImage(store, image);
    }
    await using store = await openStore(dir, { readOnly: true });
    const { id } = image.put;
    expect((await store.resolveImage({ prefix: id.slice(0, 20) })).id).toBe(id);
    expect((await store.getImage(id)).manifest.name).toBe('example.com/app');
    for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
    for (const attempt of writes(store))
      await expect(attempt()).rejects.toMatchObject({ code: 'ERR_RKT_STORE_PERMISSION' });
    await using lease = await store.lease();
    await lease.retain(id);
    await expect(store.renderTree(id, { backend: 'erofs', lease })).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_PERMISSION',
    });
  });

  it('gives a tree that is rendered already', async () => {
    const dir = await closedStore();
    const { id } = image.put;
    {
      await using store = await openStore(dir);
      await putImage(store, image);
      await using lease = await store.lease();
      await lease.retain(id);
      await store.renderTree(id, { backend: 'erofs', lease });
    }
    await using store = await openStore(dir, { readOnly: true });
    await using lease = await store.lease();
    await lease.retain(id);
    expect(await store.renderTree(id, { backend: 'erofs', lease })).toMatchObject({ type: 'erofs' });
  });

  it('is told apart from a file in its place', async () => {
    const dir = temporaryDirectory();
    writeFileSync(join(dir, 'file'), '');
    chmodSync(join(dir, 'file'), 0o600);
    await expect(openStore(join(dir, 'file'))).rejects.toMatchObject({ name: 'StoreError' });
  });
});

async function closedStore(): Promise<string> {
  const dir = temporaryDirectory();
  await (await openStore(dir))[Symbol.asyncDispose]();
  return dir;
}

function writes(store: Store): readonly (() => Promise<unknown>)[] {
  const { id } = image.put;
  return [
    () => store.prepareLayer(`sha256:${'0'.repeat(64)}`),
    () => store.putImage(image.put),
    () => store.touchImage(id),
    () => store.putRemote({ name: 'docker://x', imageId: id, digest: 'sha256:0', checkedAt: 0 }),
    () => store.removeImage(id),
    () => store.gc(),
  ];
}
