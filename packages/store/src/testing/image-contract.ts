// SPDX-License-Identifier: Apache-2.0
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
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
