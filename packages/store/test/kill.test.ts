// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '@rkt/store';
import { ingestLayer, putAci, sampleAci } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { runNode } from './run-node.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { twoLayerImage } from './two-layer-image.ts';

const image = twoLayerImage();

describe('a process killed before any change of the disk', () => {
  it('leaves an image there or not there, and nothing besides, when it was fetching', async () => {
    const steps = await countSteps('fetch', temporaryDirectory());
    expect(steps).toBeGreaterThan(40);
    await inPairs(steps, async (killAt) => {
      const dir = temporaryDirectory();
      const outcome = await runNode('fetch-and-render.ts', dir, 'fetch', String(killAt));
      expect(outcome.signal, outcome.stderr).toBe('SIGKILL');
      await expectConsistent(dir);
    });
  }, 120_000);

  it('leaves an ACI there or not there, and nothing besides, when it was taking it in', async () => {
    const aci = sampleAci({ name: 'example.com/aci' }, { a: 'a' });
    const steps = await countSteps('aci', temporaryDirectory());
    expect(steps).toBeGreaterThan(15);
    await inPairs(steps, async (killAt) => {
      const dir = temporaryDirectory();
      const outcome = await runNode('fetch-and-render.ts', dir, 'aci', String(killAt));
      expect(outcome.signal, outcome.stderr).toBe('SIGKILL');
      await using store = await openStore(dir);
      expect(namesIn(dir, 'cas/tmp')).toEqual([]);
      await putAci(store, aci);
      for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
      await store.removeImage(aci.received.id);
      expect([...layerFiles(dir), ...namesIn(dir, 'cas/images')]).toEqual([]);
    });
  }, 120_000);

  it('leaves an image there or not there, and nothing besides, when it was removing', async () => {
    const prepared = async (): Promise<string> => {
      const dir = temporaryDirectory();
      await using store = await openStore(dir);
      await fetchImage(store);
      return dir;
    };
    const steps = await countSteps('remove', await prepared());
    expect(steps).toBeGreaterThan(6);
    await inPairs(steps, async (killAt) => {
      const dir = await prepared();
      const outcome = await runNode('fetch-and-render.ts', dir, 'remove', String(killAt));
      expect(outcome.signal, outcome.stderr).toBe('SIGKILL');
      await expectConsistent(dir);
    });
  }, 120_000);
});

async function countSteps(task: string, dir: string): Promise<number> {
  const outcome = await runNode('fetch-and-render.ts', dir, task);
  expect(outcome.stderr).toBe('');
  return Number(outcome.stdout);
}

/** The machine has two cores; each round is a process of its own. */
async function inPairs(count: number, round: (n: number) => Promise<void>): Promise<void> {
  let next = 1;
  const work = async (): Promise<void> => {
    while (next <= count) await round(next++);
  };
  await Promise.all([work(), work()]);
}

async function expectConsistent(dir: string): Promise<void> {
  await using store = await openStore(dir);
  expect(namesIn(dir, 'cas/tmp')).toEqual([]);
  const images = await store.listImages();
  for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
  await store.gc({ graceMs: images.length === 0 ? 0 : 60_000 });
  expect(namesIn(dir, 'locks')).toEqual([]);
  const expected = images.length === 0 ? 0 : 1;
  expect(namesIn(dir, 'cas/images')).toHaveLength(expected);
  expect(layerFiles(dir)).toHaveLength(expected * 4);
  await fetchImage(store);
  for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
  await store.removeImage(image.put.id);
  expect([...layerFiles(dir), ...namesIn(dir, 'cas/trees'), ...namesIn(dir, 'cas/images')]).toEqual([]);
}

async function fetchImage(store: Store): Promise<void> {
  for (const layer of image.layers) await ingestLayer(store, layer);
  await store.putImage(image.put);
}

function namesIn(dir: string, path: string): readonly string[] {
  return readdirSync(join(dir, path));
}

function layerFiles(dir: string): readonly string[] {
  return namesIn(dir, 'cas/layers/sha256').flatMap((shard) => namesIn(dir, `cas/layers/sha256/${shard}`));
}
