// SPDX-License-Identifier: Apache-2.0
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { ImageId } from '@rkt/appc';
import type { PutImageOptions, Store } from '../store.ts';
import { type Check, fetchImage, imageWithId, rejectsWith, simpleImage } from './contract-case.ts';
import { sampleImage, sampleLayer } from './sample-image.ts';

const REDIS = 'registry-1.docker.io/library/redis';

/** Images: putting, finding, listing, reading. */
export const imageChecks: readonly Check[] = [
  [
    'shows an image with everything it was put with',
    async (store) => {
      const image = sampleImage(`${REDIS}:latest`, [sampleLayer({ a: '1' }), sampleLayer({ b: '2' })]);
      const id = await fetchImage(store, image);
      const { manifest, manifestBytes, ...record } = await store.getImage(id);
      equal(manifest.name, REDIS);
      deepEqual(Buffer.from(manifestBytes), Buffer.from(image.put.manifestBytes));
      deepEqual(await store.listImages(), [record]);
      deepEqual(
        { id: record.id, name: record.name, size: record.size, layers: record.layers },
        { id, name: `${REDIS}:latest`, size: image.put.size, layers: image.put.layers },
      );
      equal(record.lastUsedAt, record.importedAt);
    },
  ],
  [
    'takes the same image again without changing when it came',
    async (store, { advance }) => {
      const image = simpleImage(`${REDIS}:7`);
      await fetchImage(store, image);
      const before = await store.getImage(image.put.id);
      advance(1000);
      const again = await store.putImage({ ...image.put, name: `${REDIS}:latest` });
      equal(again.importedAt, before.importedAt);
      equal(again.lastUsedAt, before.lastUsedAt + 1000);
      equal((await store.listImages()).length, 1);
      for (const name of [`${REDIS}:7`, `${REDIS}:latest`])
        equal((await store.resolveImage({ name })).id, image.put.id);
    },
  ],
  [
    'leads a name to the image that was put under it last, and to no other',
    async (store, { advance }) => {
      const one = await fetchImage(store, sampleImage(`${REDIS}:7`, [sampleLayer({ a: '1' })]));
      advance(1);
      await store.putImage({ ...(await putOptions(store, one)), name: `${REDIS}:latest` });
      advance(1);
      const two = await fetchImage(store, sampleImage(`${REDIS}:latest`, [sampleLayer({ a: '2' })]));
      equal((await store.resolveImage({ name: `${REDIS}:latest` })).id, two);
      deepEqual((await store.getImage(one)).names, [`${REDIS}:7`]);
      deepEqual((await store.getImage(two)).names, [`${REDIS}:latest`]);
      await store.removeImage(two);
      deepEqual((await store.getImage(one)).names, [`${REDIS}:7`, `${REDIS}:latest`]);
    },
  ],
  [
    'leads a name to one image of each platform',
    async (store, { advance }) => {
      const layers = [sampleLayer({ a: '1' })];
      const amd64 = await fetchImage(store, sampleImage(`${REDIS}:latest`, layers));
      advance(1);
      const arm64 = await fetchImage(store, sampleImage(`${REDIS}:latest`, layers, 'aarch64'));
      for (const id of [amd64, arm64]) deepEqual((await store.getImage(id)).names, [`${REDIS}:latest`]);
      equal((await store.resolveImage({ name: `${REDIS}:latest` })).id, arm64);
      equal((await store.resolveImage({ name: `${REDIS}:latest`, labels: { arch: 'amd64' } })).id, amd64);
    },
  ],
  [
    'puts an image under several names at once, and says what it is for',
    async (store, { advance }) => {
      const image = sampleImage(`${REDIS}:7`, [sampleLayer({ a: '1' })], 'aarch64');
      const otherNames = ['example.com/b:1', `${REDIS}:7`, 'example.com/a:1', 'example.com/b:1'];
      const id = await fetchImage(store, { ...image, put: { ...image.put, otherNames } });
      const record = await store.getImage(id);
      equal(record.name, `${REDIS}:7`);
      deepEqual(record.names.toSorted(), ['example.com/a:1', 'example.com/b:1', `${REDIS}:7`].toSorted());
      deepEqual(record.platform, { os: 'linux', arch: 'aarch64' });
      for (const name of record.names) equal((await store.resolveImage({ name })).id, id);
      advance(1);
      const [first] = otherNames;
      equal((await store.putImage({ ...image.put, name: first ?? '' })).names.at(-1), first);
      await rejects(store.putImage({ ...image.put, otherNames: [''] }), RangeError);
    },
  ],
  [
    'takes a digest in a name for no version',
    async (store) => {
      const name = `${REDIS}@sha256:${'7'.repeat(64)}`;
      const image = simpleImage('example.com/app');
      await fetchImage(store, { ...image, put: { ...image.put, name } });
      for (const known of [name, REDIS]) equal((await store.resolveImage({ name: known })).name, name);
    },
  ],
  [
    'keeps the configuration an image was made from, also one that comes later',
    async (store) => {
      const { layers, put } = simpleImage('example.com/app');
      const configBytes = Buffer.from('{"os":"linux"}');
      const id = await fetchImage(store, { layers, put });
      equal(await store.getConfig(id), undefined);
      await store.putImage({ ...put, configBytes });
      deepEqual(Buffer.from((await store.getConfig(id)) ?? []), configBytes);
      await store.putImage({ ...put, name: 'example.com/other' });
      deepEqual(Buffer.from((await store.getConfig(id)) ?? []), configBytes);
      await rejects(store.putImage({ ...put, configBytes: Buffer.alloc(8 * 1024 * 1024 + 1) }), RangeError);
      await store.removeImage(id);
      await rejectsWith('ERR_RKT_STORE_IMAGE_NOT_FOUND', store.getConfig(id));
    },
  ],
  [
    'lists the layers of an image as they are on the disk',
    async (store) => {
      const layers = [sampleLayer({ a: '1' }), sampleLayer({ b: '2'.repeat(2000) })];
      const id = await fetchImage(store, sampleImage('example.com/app', layers));
      const listed = await store.listLayers(id);
      deepEqual(
        listed.map(({ diffId, size }) => ({ diffId, size })),
        layers.map(({ diffId, tar }) => ({ diffId, size: tar.length })),
      );
      for (const [at, { path }] of listed.entries())
        deepEqual(await readFile(path), Buffer.from(layers[at]?.tar ?? []));
    },
  ],
  [
    'extracts an image into a directory that was not there',
    async (store, { scratchPath }) => {
      const id = await fetchImage(store, simpleImage('example.com/app'));
      try {
        await store.extractImage(id, { targetDir: scratchPath });
        ok(existsSync(`${scratchPath}/bin/app`));
        await rejectsWith('ERR_RKT_STORE_IO', store.extractImage(id, { targetDir: scratchPath }));
        ok(existsSync(`${scratchPath}/bin/app`));
      } finally {
        await rm(scratchPath, { recursive: true, force: true });
      }
    },
  ],
  [
    'leaves a directory that was there alone, whatever keeps an image from being extracted',
    async (store, { scratchPath }) => {
      const id = await fetchImage(store, simpleImage('example.com/app'));
      const reason = new Error('interrupted');
      await mkdir(scratchPath);
      try {
        await writeFile(`${scratchPath}/mine`, '');
        const interrupted = store.extractImage(id, { targetDir: scratchPath, signal: AbortSignal.abort(reason) });
        await rejects(interrupted, reason);
        for (const { path } of await store.listLayers(id)) await rm(path);
        await rejectsWith('ERR_RKT_STORE_LAYER_MISSING', store.extractImage(id, { targetDir: scratchPath }));
        deepEqual(await readdir(scratchPath), ['mine']);
      } finally {
        await rm(scratchPath, { recursive: true, force: true });
      }
    },
  ],
  [
    'takes no file out of an image of which a layer or its index is damaged, and says which',
    async (store, { scratchPath }) => {
      const image = sampleImage('example.com/app', [sampleLayer({ a: '1' }), sampleLayer({ b: '2' })]);
      const id = await fetchImage(store, image);
      const [{ diffId, path } = { diffId: '', path: '' }] = await store.listLayers(id);
      for (const file of [path, path.replace(/tar$/, 'idx')]) {
        const whole = await readFile(file);
        await writeFile(file, flipped(whole, file === path ? 512 : 20));
        const lease = await store.lease();
        await lease.retain(id);
        for (const taken of [
          () => store.extractImage(id, { targetDir: scratchPath }),
          () => store.renderTree(id, { backend: 'directory', lease }),
        ]) {
          await rejects(taken(), { code: 'ERR_RKT_STORE_CORRUPT', subject: diffId, message: new RegExp(diffId) });
        }
        await lease[Symbol.asyncDispose]();
        ok(!existsSync(scratchPath));
        await writeFile(file, whole);
      }
      for await (const { kind } of store.verify()) equal(kind, 'image-ok');
      await store.extractImage(id, { targetDir: scratchPath });
      await rm(scratchPath, { recursive: true });
    },
  ],
  [
    'refuses an image whose layers are not all there',
    async (store) => {
      const image = simpleImage('example.com/app');
      await rejectsWith('ERR_RKT_STORE_LAYER_MISSING', store.putImage(image.put));
      deepEqual(await store.listImages(), []);
    },
  ],
  [
    'refuses IDs, names and sizes that cannot be',
    async (store) => {
      const { put } = simpleImage('example.com/app');
      await rejects(store.putImage({ ...put, id: 'sha512-../../etc' }), TypeError);
      await rejects(store.putImage({ ...put, layers: ['sha256:../x'] }), TypeError);
      await rejects(store.putImage({ ...put, name: '' }), RangeError);
      await rejects(store.putImage({ ...put, size: -1 }), RangeError);
    },
  ],
  [
    'finds an image by any prefix that fits one alone',
    async (store) => {
      const image = simpleImage('example.com/app');
      await fetchImage(store, imageWithId('ab1', image));
      await store.putImage(imageWithId('ab2', image).put);
      const id = (await store.resolveImage({ prefix: 'sha512-ab1' })).id;
      equal(id, `sha512-${'ab1'.padEnd(128, '0')}`);
      equal((await store.resolveImage({ prefix: id })).id, id);
      await rejectsWith('ERR_RKT_STORE_AMBIGUOUS_PREFIX', store.resolveImage({ prefix: 'sha512-ab' }));
      await rejectsWith('ERR_RKT_STORE_PREFIX_TOO_SHORT', store.resolveImage({ prefix: 'sha512-a' }));
      for (const prefix of ['sha512-ac', `${id}0`, 'sha512-ab%', 'sha256-ab', '']) {
        await rejectsWith('ERR_RKT_STORE_IMAGE_NOT_FOUND', store.resolveImage({ prefix }));
      }
    },
  ],
  [
    'finds the latest image of a name, with or without version and labels',
    async (store, { advance }) => {
      const old = simpleImage(`${REDIS}:6`);
      const young = simpleImage(`${REDIS}:7`);
      await fetchImage(store, old);
      advance(1000);
      await fetchImage(store, young);
      const find = async (labels: Record<string, string>, name = REDIS): Promise<string> =>
        (await store.resolveImage({ name, labels })).id;
      equal(await find({}), young.put.id);
      equal(await find({ version: '6' }), old.put.id);
      equal(await find({ version: '6', os: 'linux' }), old.put.id);
      equal(await find({}, `${REDIS}:6`), old.put.id);
      await rejectsWith('ERR_RKT_STORE_IMAGE_NOT_FOUND', find({ arch: 'riscv64' }));
      await rejectsWith('ERR_RKT_STORE_IMAGE_NOT_FOUND', find({}, 'redis'));
      await rejects(find({ version: '8' }), { message: `no image found for ${REDIS}:8` });
    },
  ],
  [
    'records what a name pointed at, with the image or later',
    async (store) => {
      const image = simpleImage('example.com/app:1');
      const remote = { name: 'docker://example.com/app:1', digest: `sha256:${'1'.repeat(64)}`, checkedAt: 5 };
      await fetchImage(store, { ...image, put: { ...image.put, remote } });
      deepEqual(await store.getRemote(remote.name), { ...remote, imageId: image.put.id });
      await store.putRemote({ ...remote, imageId: image.put.id, checkedAt: 6 });
      equal((await store.getRemote(remote.name))?.checkedAt, 6);
      equal(await store.getRemote('docker://example.com/other'), undefined);
      const absent = imageWithId('ee', image).put.id;
      await rejectsWith('ERR_RKT_STORE_IMAGE_NOT_FOUND', store.putRemote({ ...remote, imageId: absent }));
      await store.removeImage(image.put.id);
      equal(await store.getRemote(remote.name), undefined);
    },
  ],
  [
    'exports the very bytes the ID is the hash of',
    async (store) => {
      const big = 'x'.repeat(3 * 1024 * 1024 + 77);
      const image = sampleImage('example.com/app', [
        sampleLayer({ a: '1', big, z: '' }),
        sampleLayer({ a: '2', c: big }),
      ]);
      const id = await fetchImage(store, image);
      const hash = createHash('sha512');
      let size = 0;
      for await (const chunk of store.exportImage(id)) {
        hash.update(chunk);
        size += chunk.length;
      }
      equal(`sha512-${hash.digest('hex')}`, id);
      equal(size, image.put.size);
      equal((await store.loadTree(id)).root.children.size, 4);
    },
  ],
];

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 0x55 : byte));
}

/** What would put an image that is there once more. */
async function putOptions(store: Store, id: ImageId): Promise<PutImageOptions> {
  const { name, manifestBytes, layers, size } = await store.getImage(id);
  return { id, name, manifestBytes, layers, size };
}
