// SPDX-License-Identifier: Apache-2.0
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rmdir, stat } from 'node:fs/promises';
import type { ImageId } from '@rkt/appc';
import type { Finding, RemovedItem, Store, Tree } from '../store.ts';
import { type Check, fetchImage, rejectsWith, simpleImage } from './contract-case.ts';
import { sampleImage, sampleLayer } from './sample-image.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Leases, trees, removal, collection, verification. */
export const lifetimeChecks: readonly Check[] = [
  [
    'removes an image with what nothing else uses, and says what that freed',
    async (store) => {
      const shared = sampleLayer({ base: 'shared' });
      const one = sampleImage('example.com/one', [shared, sampleLayer({ one: '1' })]);
      const two = sampleImage('example.com/two', [shared, sampleLayer({ two: '2' })]);
      await fetchImage(store, one);
      await fetchImage(store, two);
      const removed = await store.removeImage(one.put.id);
      deepEqual(idsOf(removed, 'layer'), [one.put.layers[1]]);
      deepEqual(idsOf(removed, 'image'), [one.put.id]);
      ok(removed.every(({ size }) => size > 0));
      for (const id of [one.put.id, 'sha512-../../../x', 'sha512-'] as const) {
        await rejectsWith('ERR_RKT_STORE_IMAGE_NOT_FOUND', store.removeImage(id));
      }
      deepEqual(idsOf(await store.removeImage(two.put.id), 'layer').toSorted(), [...two.put.layers].toSorted());
    },
  ],
  [
    'leaves an image alone while a lease retains it',
    async (store, { advance }) => {
      const id = await fetchImage(store, simpleImage('example.com/app'));
      const lease = await store.lease();
      await lease.retain(id);
      await lease.retain(id);
      advance(2 * DAY_MS);
      await rejectsWith('ERR_RKT_STORE_IMAGE_IN_USE', store.removeImage(id));
      deepEqual(await store.gc(), []);
      await lease[Symbol.asyncDispose]();
      await lease[Symbol.asyncDispose]();
      equal((await store.removeImage(id)).length, 2);
      await rejectsWith('ERR_RKT_STORE_IMAGE_NOT_FOUND', lease.retain(id));
    },
  ],
  [
    'keeps a lease for as long as the path it is bound to exists',
    async (store, { scratchPath }) => {
      const id = await fetchImage(store, simpleImage('example.com/app'));
      await mkdir(scratchPath);
      const lease = await store.lease();
      await lease.retain(id);
      await lease.bind([`${scratchPath}.moved`, scratchPath]);
      await lease[Symbol.asyncDispose]();
      await rejectsWith('ERR_RKT_STORE_IMAGE_IN_USE', store.removeImage(id));
      await rmdir(scratchPath);
      equal(idsOf(await store.removeImage(id), 'image').length, 1);
    },
  ],
  [
    'takes the binding of a lease also before the first image',
    async (store, { scratchPath }) => {
      const id = await fetchImage(store, simpleImage('example.com/app'));
      await mkdir(scratchPath);
      const lease = await store.lease();
      await lease.bind(scratchPath, { durable: false });
      await lease.retain(id);
      await lease[Symbol.asyncDispose]();
      await rejectsWith('ERR_RKT_STORE_IMAGE_IN_USE', store.removeImage(id));
      await rmdir(scratchPath);
      equal(idsOf(await store.removeImage(id), 'image').length, 1);
    },
  ],
  [
    'collects images not used for the grace time, and first says so when asked',
    async (store, { advance }) => {
      const old = await fetchImage(store, simpleImage('example.com/old'));
      const used = await fetchImage(store, simpleImage('example.com/used'));
      advance(DAY_MS - 1);
      deepEqual(await store.gc(), []);
      await store.touchImage(used);
      advance(1);
      const plan = await store.gc({ dryRun: true });
      deepEqual(idsOf(plan, 'image'), [old]);
      equal((await store.listImages()).length, 2);
      deepEqual(sorted(await store.gc()), sorted(plan));
      deepEqual(
        (await store.listImages()).map(({ id }) => id),
        [used],
      );
    },
  ],
  [
    'keeps to a size by removing what was used longest ago and nobody retains, and first says so when asked',
    async (store, { advance }) => {
      const ids: ImageId[] = [];
      const base = sampleLayer({ base: 'b'.repeat(10_000) });
      for (const name of ['leased', 'oldest', 'used', 'newest']) {
        const own = sampleLayer({ [name]: name.repeat(3000) });
        ids.push(await fetchImage(store, sampleImage(`example.com/${name}`, [base, own])));
        advance(1000);
      }
      const [leased, oldest, used, newest] = ids;
      ok(leased !== undefined && oldest !== undefined && used !== undefined && newest !== undefined);
      await store.touchImage(used);
      await using lease = await store.lease();
      await lease.retain(leased);
      const bytes = async (): Promise<number> => {
        const layers = await Promise.all((await store.listImages()).map(({ id }) => store.listLayers(id)));
        return [...new Map(layers.flat().map(({ diffId, size }) => [diffId, size])).values()].reduce(
          (a, b) => a + b,
          0,
        );
      };
      const all = await bytes();
      deepEqual(await store.gc({ maxBytes: all }), []);
      const plan = await store.gc({ maxBytes: all - 1, dryRun: true });
      deepEqual(idsOf(plan, 'image'), [oldest]);
      deepEqual(sorted(await store.gc({ maxBytes: all - 1 })), sorted(plan));
      deepEqual(idsOf(await store.gc({ maxBytes: (await bytes()) - 1 }), 'image'), [newest]);
      deepEqual(idsOf(await store.gc({ maxBytes: 0 }), 'image'), [used]);
      deepEqual(
        (await store.listImages()).map(({ id }) => id),
        [leased],
      );
    },
  ],
  [
    'renders a tree once, for a lease that retains the image',
    async (store) => {
      const image = simpleImage('example.com/app');
      const id = await fetchImage(store, image);
      await using lease = await store.lease();
      await rejects(store.renderTree(id, { backend: 'erofs', lease }), TypeError);
      await lease.retain(id);
      const tree = await store.renderTree(id, { backend: 'erofs', lease });
      ok(tree.type === 'erofs');
      equal(tree.devices.length, 1);
      const { ino } = await stat(tree.source);
      deepEqual(await store.renderTree(id, { backend: 'erofs', lease }), tree);
      equal((await stat(tree.source)).ino, ino);
    },
  ],
  [
    'extracts a directory for hosts that cannot mount the other kind',
    async (store) => {
      const id = await fetchImage(store, simpleImage('example.com/app'));
      const tree = await renderDirectory(store, id);
      ok(tree.type === 'directory');
      ok(existsSync(`${tree.path}/bin/app`));
      equal(idsOf(await store.removeImage(id), 'tree').length, 1);
      equal(existsSync(tree.path), false);
    },
  ],
  [
    'finds nothing wrong with what it wrote itself',
    async (store) => {
      const one = await fetchImage(store, simpleImage('example.com/one'));
      const two = await fetchImage(store, simpleImage('example.com/two'));
      await using lease = await store.lease();
      await lease.retain(one);
      await store.renderTree(one, { backend: 'erofs', lease });
      const found: Finding[] = [];
      for await (const finding of store.verify()) found.push(finding);
      deepEqual(new Set(found.map(({ kind }) => kind)), new Set(['image-ok']));
      deepEqual(found.map(({ id }) => id).toSorted(), [one, two].toSorted());
    },
  ],
];

async function renderDirectory(store: Store, id: ImageId): Promise<Tree> {
  await using lease = await store.lease();
  await lease.retain(id);
  return await store.renderTree(id, { backend: 'directory', lease });
}

function idsOf(items: readonly RemovedItem[], kind: RemovedItem['kind']): readonly string[] {
  return items.filter((item) => item.kind === kind).map(({ id }) => id);
}

function sorted(items: readonly RemovedItem[]): readonly RemovedItem[] {
  return items.toSorted((a, b) => `${a.kind} ${a.id}`.localeCompare(`${b.kind} ${b.id}`));
}
