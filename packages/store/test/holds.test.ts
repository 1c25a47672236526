// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openStore, type Store } from '@rkt/store';
import { ingestLayer, sampleImage, sampleLayer } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { type FileLock, tryLock } from '../src/cas/locks.ts';
import { type StartWorker, startPackagedWorker } from '../src/verify/start-worker.ts';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const shared = sampleLayer({ shared: 'by all' });
const one = sampleImage('example.com/one', [shared]);
const two = sampleImage('example.com/two', [shared, shared]);

describe('layers a fetch relies on', () => {
  it('stay when their last image is removed meanwhile', async () => {
    const dir = temporaryDirectory();
    await using store = await openStore(dir);
    await using other = await openStore(dir);
    await putImage(store, one);
    expect(await ingestLayer(other, shared)).toBe('present');
    expect(kindsOf(await store.removeImage(one.put.id))).toEqual(['image']);
    await other.putImage(two.put);
    expect(kindsOf(await store.removeImage(two.put.id))).toEqual(['image', 'layer']);
  });

  it('stay for the second of two fetches of one process when the first is done and undone', async () => {
    await using store = await openStore(temporaryDirectory());
    await ingestLayer(store, shared);
    await ingestLayer(store, shared);
    await store.putImage(one.put);
    expect(kindsOf(await store.removeImage(one.put.id))).toEqual(['image']);
    await store.putImage(two.put);
    expect(kindsOf(await store.removeImage(two.put.id))).toEqual(['image', 'layer']);
  });

  it('are given up with the store object', async () => {
    const dir = temporaryDirectory();
    await using store = await openStore(dir);
    {
      await using other = await openStore(dir);
      await ingestLayer(other, shared);
      expect(await store.gc({ graceMs: 0 })).toEqual([]);
    }
    expect(kindsOf(await store.gc())).toEqual([]);
    expect(kindsOf(await store.gc({ graceMs: 0 }))).toEqual(['layer']);
  });

  it('go before any image where the store is to keep to a size, once nobody relies on them', async () => {
    const dir = temporaryDirectory();
    await using store = await openStore(dir);
    await putImage(store, one);
    const left = sampleLayer({ left: 'x'.repeat(10_000) });
    const maxBytes = shared.tar.length;
    {
      await using other = await openStore(dir);
      await ingestLayer(other, left);
      expect(kindsOf(await store.gc({ maxBytes: maxBytes + left.tar.length }))).toEqual([]);
    }
    expect(kindsOf(await store.gc({ maxBytes: maxBytes + left.tar.length }))).toEqual([]);
    expect(kindsOf(await store.gc({ maxBytes, dryRun: true }))).toEqual(['layer']);
    expect(kindsOf(await store.gc({ maxBytes }))).toEqual(['layer']);
  });

  it('are given up a day after they were asked for, however long the process lives', async () => {
    const dir = temporaryDirectory();
    await using fetching = await openStore(dir);
    await ingestLayer(fetching, shared);
    const tomorrow = Date.now() + 24 * 60 * 60 * 1000 + 10_000;
    await using store = await openStore(dir, { now: () => new Date(tomorrow) });
    expect(kindsOf(await store.gc({ graceMs: 0 }))).toEqual(['layer']);
    await expect(fetching.putImage(one.put)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_LAYER_MISSING' });
    expect(readdirSync(join(dir, 'cas/images'))).toEqual([]);
  });
});

describe('a layer that somebody has the lock of', () => {
  it('goes with its last image all the same, when it is given back meanwhile', async () => {
    const dir = temporaryDirectory();
    const path = join(dir, 'locks', `layer-${shared.diffId.slice('sha256:'.length)}`);
    let lock: FileLock | undefined;
    await using store = await openStore(dir, {
      onStep: (step) => {
        if (step.startsWith('commit ')) lock?.release();
      },
    });
    await putImage(store, one);
    lock = await tryLock(path);
    expect(lock).toBeDefined();
    expect(kindsOf(await store.removeImage(one.put.id))).toEqual(['image', 'layer']);
    lock?.release();
  });

  it('stays when it is not, and is left to the next collection', async () => {
    const dir = temporaryDirectory();
    await using store = await openStore(dir);
    await putImage(store, one);
    const lock = await tryLock(join(dir, 'locks', `layer-${shared.diffId.slice('sha256:'.length)}`));
    expect(kindsOf(await store.removeImage(one.put.id))).toEqual(['image']);
    lock?.release();
    expect(kindsOf(await store.gc({ graceMs: 0 }))).toEqual(['layer']);
  });
});

describe('files a crash left without a row', () => {
  it('are adopted when the layer is wanted again', async () => {
    const dir = temporaryDirectory();
    {
      await using store = await openStore(dir);
      await ingestLayer(store, shared);
    }
    forget(dir, 'layers');
    await using store = await openStore(dir);
    expect(await ingestLayer(store, shared)).toBe('present');
    await store.putImage(one.put);
  });

  it('are read on a thread of its own, and that is told, when they are large', async () => {
    const dir = temporaryDirectory();
    const large = sampleLayer({ large: 'x'.repeat(64 * 1024 * 1024) });
    {
      await using store = await openStore(dir);
      for (const layer of [large, shared]) await ingestLayer(store, layer);
    }
    forget(dir, 'layers');
    let threads = 0;
    const startWorker: StartWorker = (options) => {
      threads += 1;
      return startPackagedWorker(options);
    };
    await using store = await openStore(dir, { startWorker });
    const waits: string[] = [];
    for (const { diffId } of [shared, large]) {
      expect(await store.prepareLayer(diffId, { onWait: () => waits.push(diffId) })).toMatchObject({
        state: 'present',
      });
    }
    expect(waits).toEqual([large.diffId]);
    expect(threads).toBe(availableParallelism() > 1 ? 1 : 0);
  });

  it.each(['tar', 'idx'])('are written anew when the %s is damaged, which no row says any more', async (extension) => {
    const dir = temporaryDirectory();
    {
      await using store = await openStore(dir);
      await ingestLayer(store, shared);
    }
    forget(dir, 'layers');
    const hex = shared.diffId.slice('sha256:'.length);
    const path = join(dir, 'cas/layers/sha256', hex.slice(0, 2), `${hex}.${extension}`);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(path, bytes);
    await using store = await openStore(dir);
    expect(await ingestLayer(store, shared)).toBe('ingested');
    await store.putImage(one.put);
    for await (const { kind } of store.verify()) expect(kind).toBe('image-ok');
  });

  it('are garbage otherwise, and a dry run says so', async () => {
    const dir = temporaryDirectory();
    {
      await using store = await openStore(dir);
      await putImage(store, one);
      await render(store);
    }
    forget(dir, 'image_layers', 'images', 'layers');
    await using store = await openStore(dir);
    const plan = await store.gc({ dryRun: true });
    expect(kindsOf(plan)).toEqual(['image', 'layer', 'tree']);
    expect(kindsOf(await store.gc())).toEqual(['image', 'layer', 'tree']);
    expect(readdirSync(join(dir, 'cas/images'))).toEqual([]);
  });
});

describe('a lease bound to a directory that moves', () => {
  it('holds wherever along its way the directory is', async () => {
    const dir = temporaryDirectory();
    const places = ['prepare', 'run', 'exited'].map((state) => join(dir, state));
    await using store = await openStore(dir);
    await putImage(store, one);
    mkdirSync(places[0] ?? '');
    const lease = await store.lease();
    await lease.retain(one.put.id);
    await lease.bind(places);
    await lease[Symbol.asyncDispose]();
    for (const [at, place] of places.entries()) {
      if (at > 0) renameSync(places[at - 1] ?? '', place);
      await expect(store.removeImage(one.put.id)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IMAGE_IN_USE' });
      expect(await store.gc({ graceMs: 0 })).toEqual([]);
    }
    rmSync(places[2] ?? '', { recursive: true });
    expect(kindsOf(await store.gc({ graceMs: 0 }))).toEqual(['image', 'layer']);
  });
});

describe('a lease bound to a path', () => {
  it('holds while nobody can tell whether the path is there', async () => {
    const dir = temporaryDirectory();
    const unseen = join(dir, 'unseen');
    symlinkSync('unseen', unseen);
    await using store = await openStore(dir);
    await putImage(store, one);
    const lease = await store.lease();
    await lease.retain(one.put.id);
    await lease.bind(join(unseen, 'pod'));
    await lease[Symbol.asyncDispose]();
    await expect(store.removeImage(one.put.id)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IMAGE_IN_USE' });
    rmSync(unseen);
    expect(kindsOf(await store.removeImage(one.put.id))).toEqual(['image', 'layer']);
  });

  it('means the directory the path was relative to', async () => {
    const dir = temporaryDirectory();
    await using store = await openStore(dir);
    await putImage(store, one);
    await using lease = await store.lease();
    await lease.retain(one.put.id);
    await lease.bind(relative(process.cwd(), join(dir, 'pod')));
    const database = new DatabaseSync(join(dir, 'cas/db'), { readOnly: true });
    const row = database.prepare('SELECT bound_to FROM leases').get();
    database.close();
    expect(row).toEqual({ bound_to: JSON.stringify([join(dir, 'pod')]) });
  });
});

function kindsOf(items: readonly { readonly kind: string }[]): readonly string[] {
  return items.map(({ kind }) => kind).toSorted();
}

async function render(store: Store): Promise<void> {
  await using lease = await store.lease();
  await lease.retain(one.put.id);
  await store.renderTree(one.put.id, { backend: 'erofs', lease });
}

function forget(dir: string, ...tables: readonly string[]): void {
  const database = new DatabaseSync(join(dir, 'cas/db'));
  for (const table of tables) database.exec(`DELETE FROM ${table}`);
  database.close();
}
