// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openStore, type StoreEvent } from '@rkt/store';
import { ingestLayer, putAci, type SampleImage, sampleAci, sampleImage, sampleLayer } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { tryLock } from '../src/cas/locks.ts';
import { interceptFiles } from './faults/intercept-files.ts';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { twoLayerImage } from './two-layer-image.ts';

const image = twoLayerImage();
const other = sampleImage('example.com/other:2', [sampleLayer({ other: '2' })]);

describe('a database that is gone', () => {
  it('is made again from the files, names and times of import included', async () => {
    const dir = await storeWith(image, other);
    rmSync(join(dir, 'cas/db'));
    const { events, open } = observed(dir);
    await using store = await open();
    expect(events).toEqual([{ type: 'store:database:rebuilt', reason: 'missing', images: 2, skipped: [] }]);
    expect((await store.listImages()).map(({ id, name, importedAt }) => ({ id, name, importedAt }))).toEqual(
      [image, other].map(({ put }, at) => ({ id: put.id, name: put.name, importedAt: 1000 + at })).toSorted(byTime),
    );
    expect((await store.resolveImage({ name: 'example.com/alias' })).id).toBe(image.put.id);
    for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
    expect(await store.gc()).toEqual([]);
  });

  it('is made again with ACIs as ACIs', async () => {
    const dir = await storeWith(image);
    const dependencies = [{ imageName: 'example.com/alias' }];
    const aci = sampleAci({ name: 'example.com/aci', dependencies, pathWhitelist: ['/a'] }, { a: '', b: '' });
    {
      await using store = await openStore(dir);
      await putAci(store, aci);
    }
    rmSync(join(dir, 'cas/db'));
    await using store = await observed(dir).open();
    const record = await store.getImage(aci.received.id);
    expect(record).toMatchObject({
      layers: [...image.put.layers, aci.received.diffId],
      acis: [{ first: 0, position: 2 }],
    });
    expect([...(await store.loadTree(record.id)).root.children.keys()]).toEqual(['a']);
  });

  it('leads names to the images they led to, in their order', async () => {
    const dir = temporaryDirectory();
    let time = 1000;
    const now = (): Date => new Date(time++ * 1000);
    const names = async (): Promise<unknown> => {
      await using store = await openStore(dir, { now });
      return (await store.listImages()).map((each) => [each.id, each.name, each.names]);
    };
    {
      await using store = await openStore(dir, { now });
      for (const each of [image, other]) {
        await putImage(store, each);
        for (const name of ['example.com/z', 'example.com/moved', 'example.com/a']) {
          await store.putImage({ ...each.put, name: `${name}${name.endsWith('moved') ? '' : each.put.name.at(-1)}` });
        }
      }
    }
    const before = await names();
    rmSync(join(dir, 'cas/db'));
    expect(await names()).toEqual(before);
    expect(before).toMatchObject([
      [image.put.id, 'example.com/a1', [image.put.name, 'example.com/z1', 'example.com/a1']],
      [other.put.id, 'example.com/a2', [other.put.name, 'example.com/z2', 'example.com/moved', 'example.com/a2']],
    ]);
  });

  it('is made again without images that are no longer whole', async () => {
    const dir = await storeWith(image, other);
    rmSync(join(dir, 'cas/db'));
    writeFileSync(join(dir, 'cas/images', other.put.id, 'record.json'), '{"names":');
    const hex = image.put.layers[0]?.slice('sha256:'.length) ?? '';
    rmSync(join(dir, 'cas/layers/sha256', hex.slice(0, 2), `${hex}.idx`));
    const { events, open } = observed(dir);
    await using store = await open();
    expect(events).toMatchObject([{ images: 0 }]);
    expect(events[0]?.skipped.toSorted()).toEqual([image.put.id, other.put.id].toSorted());
    await store.gc({ graceMs: 0 });
    expect(existsSync(join(dir, 'cas/images', image.put.id))).toBe(false);
    await putImage(store, image);
  });

  it('is made again without an image that is being removed', async () => {
    const dir = await storeWith(image, other);
    rmSync(join(dir, 'cas/db'));
    const removal = await tryLock(join(dir, 'locks', `image-${image.put.id}`));
    const { events, open } = observed(dir);
    const opening = open();
    await delay(200);
    expect(events).toEqual([]);
    rmSync(join(dir, 'cas/images', image.put.id), { recursive: true });
    removal?.release();
    await using store = await opening;
    expect((await store.listImages()).map(({ id }) => id)).toEqual([other.put.id]);
    expect(events).toMatchObject([{ images: 1, skipped: [] }]);
  });

  it('is made again without an image whose files could not be removed', async () => {
    const dir = await storeWith(image, other);
    await removeAllButFiles(dir);
    rmSync(join(dir, 'cas/db'));
    const { events, open } = observed(dir);
    await using store = await open();
    expect((await store.listImages()).map(({ id }) => id)).toEqual([other.put.id]);
    expect(events).toMatchObject([{ images: 1, skipped: [] }]);
    expect(readdirSync(join(dir, 'cas/images'))).toEqual([other.put.id]);
    expect(readdirSync(join(dir, 'cas/tmp'))).toEqual([]);
  });

  it('is made again with an image that was put after it had been removed', async () => {
    const dir = await storeWith(image, other);
    await using before = await openStore(dir);
    await removeAllButFiles(dir);
    await putImage(before, image);
    rmSync(join(dir, 'cas/db'));
    await using store = await openStore(dir);
    expect((await store.listImages()).map(({ id }) => id).toSorted()).toEqual([image.put.id, other.put.id].toSorted());
  });

  it('is made again without layers of no image: they are read when they are wanted', async () => {
    const dir = await storeWith(image);
    const whole = sampleLayer({ whole: '1' });
    const damaged = sampleLayer({ damaged: '2' });
    {
      await using store = await openStore(dir);
      for (const layer of [whole, damaged]) await ingestLayer(store, layer);
    }
    rmSync(join(dir, 'cas/db'));
    const hex = damaged.diffId.slice('sha256:'.length);
    const tar = join(dir, 'cas/layers/sha256', hex.slice(0, 2), `${hex}.tar`);
    writeFileSync(tar, readFileSync(tar).fill(1, 600));
    await using store = await openStore(dir);
    expect(await ingestLayer(store, whole)).toBe('present');
    expect(await ingestLayer(store, damaged)).toBe('ingested');
  });

  it('is made again once when many processes miss it', async () => {
    const dir = await storeWith(image);
    rmSync(join(dir, 'cas/db'));
    const { events, open } = observed(dir);
    const stores = await Promise.all([open(), open(), open()]);
    expect(events).toHaveLength(1);
    for (const store of stores) {
      expect(await store.listImages()).toHaveLength(1);
      await store[Symbol.asyncDispose]();
    }
  });
});

describe('a database that is damaged', () => {
  it('is set aside and made again when it is no database at all', async () => {
    const dir = await storeWith(image);
    writeFileSync(join(dir, 'cas/db'), 'not a database'.repeat(1000));
    const { events, open } = observed(dir);
    await using store = await open();
    expect(events).toMatchObject([{ reason: 'damaged', images: 1 }]);
    expect(await store.listImages()).toHaveLength(1);
    expect(readFileSync(join(dir, 'cas/db.damaged'), 'latin1')).toContain('not a database');
  });

  it('is out of the way before anything is read: nobody changes it then', async () => {
    const dir = await storeWith(image);
    const database = join(dir, 'cas/db');
    writeFileSync(database, 'not a database'.repeat(1000));
    const there: boolean[] = [];
    const stop = await interceptFiles(join(dir, 'cas/images'), ({ name }) => {
      if (name === 'read') there.push(existsSync(database));
    });
    try {
      await (await openStore(dir))[Symbol.asyncDispose]();
    } finally {
      stop();
    }
    expect(new Set(there)).toEqual(new Set([false]));
  });

  it('is made again by the next to open it when the damage shows only later', async () => {
    const dir = await storeWith(image);
    const database = join(dir, 'cas/db');
    const { size } = statSync(database);
    const bytes = readFileSync(database);
    // All pages but the one with the schema.
    bytes.fill(0xff, 4096 * 3);
    writeFileSync(database, bytes);
    expect(size).toBeGreaterThan(4096 * 4);
    {
      await using store = await openStore(dir);
      await expect(
        store.putRemote({ name: 'x', imageId: image.put.id, digest: 'd', checkedAt: 1 }),
      ).rejects.toMatchObject({
        code: 'ERR_RKT_STORE_CORRUPT',
      });
    }
    const { events, open } = observed(dir);
    await using store = await open();
    expect(events).toMatchObject([{ reason: 'damaged', images: 1 }]);
    expect(existsSync(`${database}.suspect`)).toBe(false);
    expect((await store.listImages()).map(({ id }) => id)).toEqual([image.put.id]);
  });

  it('is not written to by those who have the old one open', async () => {
    const dir = await storeWith(image);
    await using old = await openStore(dir);
    truncateSync(join(dir, 'cas/db-wal'), 0);
    rmSync(join(dir, 'cas/db'));
    await using store = await openStore(dir);
    await expect(old.touchImage(image.put.id)).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_CORRUPT',
      message: 'the database was rebuilt meanwhile: open the store again',
    });
    await store.touchImage(image.put.id);
  });

  it('does not take what went into the old one while it was replaced for done', async () => {
    const dir = await storeWith(image);
    const database = join(dir, 'cas/db');
    const replaced = { done: false };
    const onStep = (step: string): void => {
      if (step !== `commit-unsynced ${database}` || replaced.done) return;
      replaced.done = true;
      renameSync(database, `${database}.damaged`);
      writeFileSync(database, '');
    };
    await using store = await openStore(dir, { onStep });
    await expect(store.touchImage(image.put.id)).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_CORRUPT',
      message: 'the database was rebuilt meanwhile: open the store again',
    });
    expect(replaced.done).toBe(true);
  });
});

async function storeWith(...images: readonly SampleImage[]): Promise<string> {
  const dir = temporaryDirectory();
  let time = 999;
  await using store = await openStore(dir, { now: () => new Date(time) });
  for (const each of images) {
    time += 1;
    await putImage(store, each);
  }
  // A second name, then the first again: the latest put is the one that is shown.
  await store.putImage({ ...image.put, name: 'example.com/alias:1' });
  await store.putImage(image.put);
  return dir;
}

/** As when the process is stopped, or the disk fails, right after the image has been removed. */
async function removeAllButFiles(dir: string): Promise<void> {
  await using store = await openStore(dir);
  const stop = await interceptFiles(`${dir}/cas/`, ({ name, path }) => {
    if (name === 'rename' || path.endsWith('.tar'))
      throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: name });
  });
  try {
    await expect(store.removeImage(image.put.id)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IO' });
  } finally {
    stop();
  }
  expect((await store.listImages()).map(({ id }) => id)).toEqual([other.put.id]);
  expect(existsSync(join(dir, 'cas/images', image.put.id, 'record.json'))).toBe(true);
}

function observed(dir: string): { readonly events: StoreEvent[]; readonly open: () => ReturnType<typeof openStore> } {
  const events: StoreEvent[] = [];
  return { events, open: () => openStore(dir, { onEvent: (event) => events.push(event) }) };
}

function byTime(a: { readonly importedAt: number }, b: { readonly importedAt: number }): number {
  return a.importedAt - b.importedAt;
}
