// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@rkt/store';
import { ingestLayer } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { putImage } from './put-image.ts';
import { relatedImages } from './related-images.ts';
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

  it('fetch, remove, collect and verify the same and other images, and none loses or mistakes anything', async () => {
    const dir = temporaryDirectory();
    const roles = ['fetch', 'fetch', 'fetch', 'fetch', 'fetch', 'fetch', 'remove', 'gc', 'gc', 'verify'];
    const outcomes = await Promise.all(
      roles.map((role, at) => runNode('share-a-store.ts', dir, role, `${at}`, '4000')),
    );
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 0, stderr: '' });
      expect(Number(outcome.stdout)).toBeGreaterThan(0);
    }
    await using store = await openStore(dir);
    for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
    await store.gc({ graceMs: 0 });
    for (const path of ['cas/images', 'cas/trees', 'cas/tmp', 'locks'])
      expect(readdirSync(join(dir, path))).toEqual([]);
    expect(layersIn(dir)).toEqual([]);
    for (const image of relatedImages()) await putImage(store, image);
    for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
  }, 60_000);

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

function layersIn(dir: string): readonly string[] {
  const shards = join(dir, 'cas/layers/sha256');
  return readdirSync(shards).flatMap((shard) => readdirSync(join(shards, shard)));
}
