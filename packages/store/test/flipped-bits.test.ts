// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isStoreError, openStore, type Store } from '@rkt/store';
import { sampleImage, sampleLayer } from '@rkt/store/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { copyStore } from './faults/copy-store.ts';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const configBytes = Buffer.from('{"os":"linux","architecture":"amd64"}');
const sample = sampleImage('example.com/app:1', [
  sampleLayer({ 'etc/motd': 'welcome', 'bin/sh': 'x'.repeat(3000) }),
  sampleLayer({ 'bin/app': 'y'.repeat(700) }),
]);
const { id } = sample.put;
let prepared = '';
let whole: unknown;

beforeAll(async () => {
  prepared = join(temporaryDirectory(), 'rkt');
  await using store = await openStore(prepared);
  await putImage(store, { ...sample, put: { ...sample.put, configBytes } });
  await using lease = await store.lease();
  await lease.retain(id);
  await store.renderTree(id, { backend: 'erofs', lease });
  whole = await contentOf(store);
});

/** Everything of the image that anybody gets to see. */
async function contentOf(store: Store): Promise<unknown> {
  const { lastUsedAt: _, ...image } = await store.getImage(id);
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.exportImage(id)) chunks.push(chunk);
  const tree = readFileSync(join(store.dir, 'cas/trees', `${id}.erofs`));
  const layers = (await store.listLayers(id)).map(({ diffId, size }) => ({ diffId, size }));
  return { image, aci: Buffer.concat(chunks), config: await store.getConfig(id), tree, layers };
}

const hex = sample.put.layers[0]?.slice('sha256:'.length) ?? '';
const layer = `cas/layers/sha256/${hex.slice(0, 2)}/${hex}`;

describe.each([
  ['layer tar', `${layer}.tar`, 'told'],
  ['layer index', `${layer}.idx`, 'repaired'],
  ['tree', `cas/trees/${id}.erofs`, 'repaired'],
  ['manifest', `cas/images/${id}/manifest`, 'told'],
  ['configuration', `cas/images/${id}/config`, 'told'],
  ['record', `cas/images/${id}/record.json`, 'either'],
  ['database', 'cas/db', 'either'],
] as const)('a bit flipped in the %s', (_name, file, outcome) => {
  it(`wherever it is, is ${outcome === 'either' ? 'told, repaired, or does not matter' : outcome} by verification`, async () => {
    const size = readFileSync(join(prepared, file)).length;
    const bits = fc.nat({ max: size * 8 - 1 });
    await fc.assert(
      fc.asyncProperty(bits, async (bit) => {
        const dir = join(temporaryDirectory(), 'rkt');
        copyStore(prepared, dir);
        flip(join(dir, file), bit);
        const told = await verifyUntilOpened(dir);
        if (outcome === 'told') expect(told).toBe(true);
        if (outcome === 'repaired') expect(told).toBe(false);
        if (!told) {
          await using store = await openStore(dir);
          expect(await contentOf(store)).toEqual(whole);
        }
        rmSync(dir, { recursive: true });
      }),
      { numRuns: 10 },
    );
  }, 60_000);
});

it('is found in the size of a layer, which no file of an image repeats', async () => {
  const dir = join(temporaryDirectory(), 'rkt');
  copyStore(prepared, dir);
  const database = new DatabaseSync(join(dir, 'cas/db'));
  database.exec('UPDATE layers SET size = 0');
  database.close();
  expect(await verifyUntilOpened(dir)).toBe(false);
  await using store = await openStore(dir);
  expect(await contentOf(store)).toEqual(whole);
});

/** Verifies as users do: once more where the store has to be opened again. @returns whether damage was told */
async function verifyUntilOpened(dir: string, rounds = 2): Promise<boolean> {
  try {
    await using store = await openStore(dir);
    const kinds: string[] = [];
    for await (const { kind } of store.verify()) kinds.push(kind);
    // An image that is not listed any more is lost for everybody to see.
    return !kinds.includes('image-ok');
  } catch (error) {
    if (!isStoreError(error)) throw error;
    expect(error.code).toMatch(/_(CORRUPT|NEWER_FORMAT|IO)$/);
    return rounds === 1 || (await verifyUntilOpened(dir, rounds - 1));
  }
}

function flip(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  writeFileSync(path, bytes);
}

it('is looked for in every file an image has', () => {
  expect(readdirSync(join(prepared, 'cas/images', id)).toSorted()).toEqual(['config', 'manifest', 'record.json']);
});
