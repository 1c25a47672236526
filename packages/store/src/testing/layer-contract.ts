// SPDX-License-Identifier: Apache-2.0
import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import type { LayerIngest } from '@rkt/appc';
import type { Store } from '../store.ts';
import { type Check, rejectsWith } from './contract-case.ts';
import { ingestLayer, sampleLayer } from './sample-image.ts';

const layer = sampleLayer({ 'etc/motd': 'welcome' });

/** `prepareLayer`. */
export const layerChecks: readonly Check[] = [
  [
    'gives leave to write a layer once and has it from then on',
    async (store) => {
      equal(await ingestLayer(store, layer), 'ingested');
      const present = await store.prepareLayer(layer.diffId);
      ok(present.state === 'present');
      deepEqual(await readFile(present.path), Buffer.from(layer.tar));
      deepEqual(Buffer.from(present.index), Buffer.from(layer.index));
    },
  ],
  [
    'gives a layer back byte for byte, in chunks that stay what they are',
    async (store) => {
      const large = sampleLayer({ large: 'x'.repeat(3 * 1024 * 1024 + 77), z: '' });
      await ingestLayer(store, large);
      const chunks: Uint8Array[] = [];
      for await (const chunk of store.readLayer(large.diffId)) chunks.push(chunk);
      deepEqual(Buffer.concat(chunks), Buffer.from(large.tar));
      ok(chunks.every((chunk) => chunk.length <= 1024 * 1024));
      await rejects(store.readLayer('sha256:../x')[Symbol.asyncIterator]().next(), TypeError);
      const reason = new Error('interrupted');
      const interrupted = store.readLayer(large.diffId, { signal: AbortSignal.abort(reason) });
      await rejects(interrupted[Symbol.asyncIterator]().next(), reason);
    },
  ],
  [
    'never gives the end of a layer that is damaged, and has it written anew by the next fetch',
    async (store) => {
      await ingestLayer(store, layer);
      const present = await store.prepareLayer(layer.diffId);
      const damages = [
        [
          'ERR_RKT_STORE_CORRUPT',
          () =>
            writeFile(
              present.path,
              layer.tar.map((byte, at) => byte ^ Number(at === 1)),
            ),
        ],
        ['ERR_RKT_STORE_CORRUPT', () => writeFile(present.path, layer.tar.subarray(0, -1))],
        ['ERR_RKT_STORE_CORRUPT', () => writeFile(present.path, '')],
        ['ERR_RKT_STORE_LAYER_MISSING', () => rm(present.path)],
      ] as const;
      for (const [code, damage] of damages) {
        await damage();
        let given = 0;
        const read = async (): Promise<void> => {
          for await (const chunk of store.readLayer(layer.diffId)) given += chunk.length;
        };
        await rejects(read(), { code, subject: layer.diffId, message: new RegExp(layer.diffId) });
        ok(given < layer.tar.length);
        equal(await ingestLayer(store, layer), 'ingested');
        await read();
        equal(given, layer.tar.length);
      }
    },
  ],
  [
    'lets a second writer wait, tells it once, and gives it what the first one wrote',
    async (store) => {
      const first = await leaveToWrite(store);
      let waits = 0;
      const second = store.prepareLayer(layer.diffId, { onWait: () => (waits += 1) });
      await writeFile(first.path, layer.tar);
      await new Promise((resolve) => setTimeout(resolve, 120));
      await first.commit({ size: layer.tar.length, index: layer.index });
      equal((await second).state, 'present');
      equal(waits, 1);
    },
  ],
  [
    'passes leave on when the first writer gives up',
    async (store) => {
      const first = await leaveToWrite(store);
      const second = store.prepareLayer(layer.diffId);
      await first.abort();
      const leave = await second;
      ok(leave.state === 'ingest');
      equal(existsSync(first.path), false);
      await leave.abort();
    },
  ],
  [
    'takes disposal without commit for giving up',
    async (store) => {
      const path = await (async () => {
        await using leave = await leaveToWrite(store);
        return leave.path;
      })();
      equal(existsSync(path), false);
      const again = await leaveToWrite(store);
      await again.abort();
    },
  ],
  [
    'stops waiting when the signal fires',
    async (store) => {
      const first = await leaveToWrite(store);
      const controller = new AbortController();
      const reason = new Error('enough');
      const second = store.prepareLayer(layer.diffId, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 30);
      await rejects(second, reason);
      await first.abort();
    },
  ],
  [
    'refuses a layer of another size than was announced, and keeps nothing of it',
    async (store) => {
      const leave = await leaveToWrite(store);
      await writeFile(leave.path, layer.tar);
      await rejectsWith('ERR_RKT_STORE_CORRUPT', leave.commit({ size: layer.tar.length + 1, index: layer.index }));
      await rejects(leave.commit({ size: layer.tar.length, index: layer.index }), TypeError);
      const again = await leaveToWrite(store);
      await again.abort();
    },
  ],
  [
    'refuses what is not a diffID before it becomes a path',
    async (store) => {
      for (const diffId of ['sha256:../../x', `sha512:${'0'.repeat(128)}`, layer.diffId.toUpperCase(), '']) {
        await rejects(store.prepareLayer(diffId), TypeError);
      }
    },
  ],
  [
    'keeps layers of a fetch in progress from being collected, whether written or found',
    async (store, { advance }) => {
      await ingestLayer(store, layer);
      advance(60_000);
      deepEqual(await store.gc({ graceMs: 0 }), []);
      equal(await ingestLayer(store, layer), 'present');
    },
  ],
];

async function leaveToWrite(store: Store): Promise<LayerIngest> {
  const leave = await store.prepareLayer(layer.diffId);
  ok(leave.state === 'ingest');
  return leave;
}
