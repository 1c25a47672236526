// SPDX-License-Identifier: Apache-2.0
import { chmodSync, closeSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { decodeLayerIndex, encodeLayerIndex } from '@rkt/appc';
import { type Finding, openStore, type Store, type Tree, type TreeBackend } from '@rkt/store';
import { ingestLayer, putAci, sampleAci, sampleImage, sampleLayer } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../src/cas/layout.ts';
import { loadTreeSyscalls, type TreeSyscalls } from '../src/host/tree-syscalls.ts';
import { deriveId } from '../src/verify/derive-id.ts';
import { type StartWorker, startPackagedWorker } from '../src/verify/start-worker.ts';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const base = sampleLayer({ 'etc/motd': 'welcome' });
const one = sampleImage('example.com/one', [base, sampleLayer({ 'bin/one': '1' })]);
const two = sampleImage('example.com/two', [base, sampleLayer({ 'bin/two': '2' })]);

describe('verification', () => {
  it('names every image a changed layer is part of, and what it hashes to', async () => {
    await using store = await storeWithBoth();
    flipByte(layerFile(store, base.diffId, 'tar'), 600);
    const findings = await verify(store);
    expect(findings.map(({ kind }) => kind)).toEqual(['layer-corrupt', 'layer-corrupt']);
    expect(findings.map(({ id }) => id).toSorted()).toEqual([one.put.id, two.put.id].toSorted());
    expect(findings[0]).toMatchObject({ diffId: base.diffId, actual: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  });

  it('lets the next fetch write a layer anew that was found wrong', async () => {
    await using store = await storeWithBoth();
    flipByte(layerFile(store, base.diffId, 'tar'), 600);
    expect(await ingestLayer(store, base)).toBe('present');
    await verify(store);
    expect(await ingestLayer(store, base)).toBe('ingested');
    expect(await kinds(store)).toEqual(['image-ok', 'image-ok']);
  });

  it('is not needed for an export, whose end comes only when all of it is what the ID says', async () => {
    await using store = await storeWithBoth();
    flipByte(layerFile(store, base.diffId, 'tar'), 513);
    await expect(exported(store)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_CORRUPT', subject: one.put.id });
  });

  it('names a layer the disk cannot read any more, and goes on', async () => {
    await using store = await storeWithBoth();
    const diffId = one.put.layers[1] ?? '';
    rmSync(layerFile(store, diffId, 'tar'));
    // Nothing is mapped at address 0: reading there is an input/output error.
    symlinkSync('/proc/self/mem', layerFile(store, diffId, 'tar'));
    const findings = await verify(store);
    expect(findings).toContainEqual({ kind: 'layer-corrupt', id: one.put.id, diffId });
    expect(findings).toContainEqual({ kind: 'image-ok', id: two.put.id });
  });

  it('names a layer that is gone', async () => {
    await using store = await storeWithBoth();
    rmSync(layerFile(store, base.diffId, 'tar'));
    expect(await kinds(store)).toEqual(['layer-missing', 'layer-missing']);
    await expect(exported(store)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_LAYER_MISSING' });
    expect(await ingestLayer(store, base)).toBe('ingested');
    expect(await kinds(store)).toEqual(['image-ok', 'image-ok']);
  });

  it('makes a layer index again from the tar', async () => {
    await using store = await storeWithBoth();
    const index = layerFile(store, base.diffId, 'idx');
    for (const damage of [() => flipByte(index, 20), () => rmSync(index), () => writeFileSync(index, '')]) {
      damage();
      expect(await kinds(store)).toEqual(['image-ok', 'image-ok']);
      expect(readFileSync(index)).toEqual(Buffer.from(base.index));
    }
  });

  it('makes no more of an image than it has, whatever a damaged index says of its files', async () => {
    await using store = await storeWithBoth();
    const { size, entries } = decodeLayerIndex(base.index);
    const larger = entries.map((entry) => (entry.kind === 'file' ? { ...entry, size: 2 ** 40 } : entry));
    writeFileSync(layerFile(store, base.diffId, 'idx'), encodeLayerIndex({ size, entries: larger }));
    const parts = await store.getImage(one.put.id);
    expect(await deriveId(layoutOf(store.dir), parts, undefined)).toContain(`more than ${parts.size} bytes`);
    expect(await kinds(store)).toEqual(['image-ok', 'image-ok']);
  });

  it('goes on to the next image where an index is missing and cannot be written', async () => {
    const { dir } = await (async () => {
      await using store = await storeWithBoth();
      rmSync(layerFile(store, one.put.layers[1] ?? '', 'idx'));
      return store;
    })();
    await using store = await openStore(dir, { readOnly: true });
    const findings = await verify(store);
    expect(findings.find(({ id }) => id === one.put.id)).toMatchObject({ kind: 'image-corrupt' });
    expect(findings.find(({ id }) => id === two.put.id)).toMatchObject({ kind: 'image-ok' });
  });

  it('is not needed to mend a manifest or a record: putting the image again does', async () => {
    await using store = await storeWithBoth();
    const files = join(store.dir, 'cas/images', one.put.id);
    for (const file of ['manifest', 'record.json']) {
      const whole = readFileSync(join(files, file));
      for (const damage of [() => writeFileSync(join(files, file), '{'), () => rmSync(join(files, file))]) {
        damage();
        await putImage(store, one);
        expect(readFileSync(join(files, file))).toEqual(whole);
        expect(await kinds(store, [one.put.id])).toEqual(['image-ok']);
      }
    }
  });

  it('tells that a damaged index cannot be read', async () => {
    await using store = await storeWithBoth();
    writeFileSync(layerFile(store, base.diffId, 'idx'), 'nonsense');
    await expect(store.loadTree(one.put.id)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_CORRUPT' });
  });

  it('notices that the database has another reach of a path whitelist than the record', async () => {
    await using store = await openStore(temporaryDirectory());
    await putAci(store, sampleAci({ name: 'example.com/base' }, { a: '' }));
    const dependencies = [{ imageName: 'example.com/base' }];
    const { id } = await putAci(store, sampleAci({ name: 'example.com/top', dependencies }, { b: '' }));
    const database = new DatabaseSync(join(store.dir, 'cas/db'));
    database.prepare('UPDATE images SET acis = ? WHERE id = ?').run('[[0,0],[1,1]]', id);
    database.close();
    expect(await verify(store)).toContainEqual({
      kind: 'image-corrupt',
      id,
      actual: 'its record and the database differ',
    });
  });

  it('notices that the manifest beside an ACI is another one, and putting it again mends that', async () => {
    await using store = await openStore(temporaryDirectory());
    const aci = sampleAci({ name: 'example.com/aci' }, { a: '' });
    await putAci(store, aci);
    const { id, manifestBytes } = aci.received;
    const manifest = join(store.dir, 'cas/images', id, 'manifest');
    writeFileSync(manifest, `${Buffer.from(manifestBytes)} `);
    expect(await verify(store)).toMatchObject([
      { kind: 'image-corrupt', id, actual: expect.stringContaining('manifest') },
    ]);
    await putAci(store, aci);
    expect(await kinds(store, [id])).toEqual(['image-ok']);
  });

  it('notices a manifest that was changed or is gone', async () => {
    await using store = await storeWithBoth();
    const manifest = join(store.dir, 'cas/images', one.put.id, 'manifest');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('amd64', 'arm64'));
    const findings = await verify(store, [one.put.id]);
    expect(findings).toMatchObject([
      { kind: 'image-corrupt', actual: expect.stringMatching(/^sha512-[0-9a-f]{128}$/) },
    ]);
    writeFileSync(manifest, 'no manifest');
    await expect(store.getImage(one.put.id)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_CORRUPT' });
    rmSync(manifest);
    expect(await verify(store, [one.put.id])).toMatchObject([{ kind: 'image-corrupt' }]);
    await expect(store.getImage(one.put.id)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_CORRUPT' });
  });

  it('notices a configuration that was changed or is gone, and a record that says something else', async () => {
    await using store = await storeWithBoth();
    const configBytes = Buffer.from('{"os":"linux"}');
    const put = { ...one.put, configBytes };
    const files = join(store.dir, 'cas/images', one.put.id);
    const damages = [
      () => flipByte(join(files, 'config'), 3),
      () => rmSync(join(files, 'config')),
      () => flipByte(join(files, 'record.json'), 0),
    ];
    for (const damage of damages) {
      await store.putImage(put);
      expect(await kinds(store, [one.put.id])).toEqual(['image-ok']);
      damage();
      expect(await kinds(store, [one.put.id])).toEqual(['image-corrupt']);
      await expect(store.getConfig(one.put.id)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_CORRUPT' });
    }
    await store.putImage(put);
    expect(await store.getConfig(one.put.id)).toEqual(configBytes);
  });

  it('rebuilds EROFS metadata that was changed', async () => {
    await using store = await storeWithBoth();
    const tree = await render(store, 'erofs');
    const path = tree.type === 'erofs' ? tree.source : '';
    const whole = readFileSync(path);
    flipByte(path, 1100);
    expect(await kinds(store, [one.put.id])).toEqual(['tree-rebuilt', 'image-ok']);
    expect(readFileSync(path)).toEqual(whole);
    expect(await kinds(store, [one.put.id])).toEqual(['image-ok']);
  });

  it('rebuilds an extracted directory that was changed', async () => {
    await using store = await storeWithBoth();
    const tree = await render(store, 'directory');
    const path = tree.type === 'directory' ? tree.path : '';
    expect(await kinds(store, [one.put.id])).toEqual(['image-ok']);
    const calls = await loadTreeSyscalls();
    const changes = [
      () => writeFileSync(join(path, 'bin/one'), '2'),
      () => writeFileSync(join(path, 'bin/more'), ''),
      () => rmSync(join(path, 'etc/motd')),
      () => chmodSync(join(path, 'bin/one'), 0o4755),
      () => setXattr(calls, join(path, 'bin/one'), 'security.capability'),
      () => setXattr(calls, join(path, 'etc'), 'user.added'),
    ];
    for (const change of changes) {
      change();
      expect(await kinds(store, [one.put.id])).toEqual(['tree-rebuilt', 'image-ok']);
      expect(readFileSync(join(path, 'bin/one'), 'utf8')).toBe('1');
      expect(readFileSync(join(path, 'etc/motd'), 'utf8')).toBe('welcome');
    }
    expect(await kinds(store, [one.put.id])).toEqual(['image-ok']);
  });

  it('refuses an ID that is not there, and stops when told to', async () => {
    await using store = await storeWithBoth();
    await expect(verify(store, [`sha512-${'0'.repeat(128)}`])).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_IMAGE_NOT_FOUND',
    });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(store.verify({ signal })[Symbol.asyncIterator]().next()).rejects.toThrow('enough');
  });
});

describe('verification of much', () => {
  const content = (letter: string) => letter.repeat(40 * 1024 * 1024);
  const large = sampleImage('example.com/large', [sampleLayer({ a: content('a') }), sampleLayer({ b: content('b') })]);
  const upon = sampleImage('example.com/upon', [...large.layers, sampleLayer({ c: 'c' })]);

  it('uses several threads, and finds the same', async () => {
    let threads = 0;
    const startWorker: StartWorker = (options) => {
      threads += 1;
      return startPackagedWorker(options);
    };
    await using store = await openStore(temporaryDirectory(), { startWorker });
    for (const image of [large, upon, one]) await putImage(store, image);
    expect(await kinds(store)).toEqual(['image-ok', 'image-ok', 'image-ok']);
    expect(threads).toBe(Math.min(availableParallelism(), 8) > 1 ? Math.min(availableParallelism(), 7) : 0);
    const [bottom = '', middle = ''] = large.put.layers;
    rmSync(layerFile(store, bottom, 'idx'));
    expect(await kinds(store)).toEqual(['image-ok', 'image-ok', 'image-ok']);
    flipByte(layerFile(store, middle, 'tar'), 30 * 1024 * 1024);
    const findings = await verify(store);
    expect(findings.map(({ kind }) => kind).toSorted()).toEqual(['image-ok', 'layer-corrupt', 'layer-corrupt']);
    const first = store.verify()[Symbol.asyncIterator]();
    await first.next();
    await first.return?.();
    expect(await store.removeImage(large.put.id)).toBeDefined();
  }, 60_000);
});

describe('a rendered tree', () => {
  it('is found without looking at layers', async () => {
    await using store = await storeWithBoth();
    const tree = await render(store, 'erofs');
    rmSync(layerFile(store, base.diffId, 'idx'));
    expect(await render(store, 'erofs')).toEqual(tree);
  });
});

async function storeWithBoth(): Promise<Store> {
  const store = await openStore(temporaryDirectory());
  await putImage(store, one);
  await putImage(store, two);
  return store;
}

async function verify(store: Store, ids?: readonly (typeof one.put.id)[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of store.verify(ids === undefined ? {} : { ids })) findings.push(finding);
  return findings;
}

async function kinds(store: Store, ids?: readonly (typeof one.put.id)[]): Promise<readonly string[]> {
  return (await verify(store, ids)).map(({ kind }) => kind);
}

async function render(store: Store, backend: TreeBackend): Promise<Tree> {
  await using lease = await store.lease();
  await lease.retain(one.put.id);
  return await store.renderTree(one.put.id, { backend, lease });
}

/** The value is that of `cap_setuid+ep`; times stay as they are. */
function setXattr(calls: TreeSyscalls, path: string, name: string): void {
  const handle = openSync(path, 'r');
  calls.fsetxattr(handle, name, Buffer.from('0100000280000000000000000000000000000000', 'hex'));
  closeSync(handle);
}

async function exported(store: Store): Promise<number> {
  let size = 0;
  for await (const chunk of store.exportImage(one.put.id)) size += chunk.length;
  return size;
}

function layerFile(store: Store, diffId: string, extension: 'tar' | 'idx'): string {
  const hex = diffId.slice('sha256:'.length);
  return join(store.dir, 'cas/layers/sha256', hex.slice(0, 2), `${hex}.${extension}`);
}

function flipByte(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x55;
  writeFileSync(path, bytes);
}
