// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { openStore } from '@rkt/store';
import { ingestLayer } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { runNode } from './run-node.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { twoLayerImage } from './two-layer-image.ts';

describe('many processes on one store', () => {
  it('write a layer they all want exactly once', async () => {
    const dir = temporaryDirectory();
    const startAt = String(Date.now() + 2500);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => runNode('prepare-one-layer.ts', dir, startAt)));
    expect(outcomes.map(({ stderr }) => stderr).join('')).toBe('');
    expect(outcomes.map(({ stdout }) => stdout).toSorted()).toEqual(['ingested', ...Array(9).fill('present')]);
  }, 60_000);

  it('fetch and remove the same image while garbage is collected, and none loses a layer', async () => {
    const dir = temporaryDirectory();
    const fetching = [runNode('fetch-forever.ts', dir, '2500'), runNode('fetch-forever.ts', dir, '2500')];
    await using store = await openStore(dir);
    let running = true;
    const done = Promise.all(fetching).finally(() => {
      running = false;
    });
    while (running) {
      await store.gc({ graceMs: 0 });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const outcome of await done) {
      expect(outcome).toMatchObject({ status: 0, stderr: '' });
      expect(Number(outcome.stdout)).toBeGreaterThan(5);
    }
    for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
  });

  it('give up what a dead process held', async () => {
    const dir = temporaryDirectory();
    await using store = await openStore(dir);
    const outcome = await runNode('hold-and-die.ts', dir);
    expect(outcome.signal, outcome.stderr).toBe('SIGKILL');
    const image = twoLayerImage();
    const [record] = await store.listImages();
    expect(record?.id).toBe(image.put.id);
    const removed = await store.gc({ graceMs: 0 });
    expect(removed.map(({ kind }) => kind).toSorted()).toEqual(['image', 'layer', 'layer', 'layer', 'temporary']);
    expect(outcome.stdout).not.toBe('');
    expect(existsSync(outcome.stdout)).toBe(false);
    for (const layer of image.layers) expect(await ingestLayer(store, layer)).toBe('ingested');
  });
});
