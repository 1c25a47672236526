// SPDX-License-Identifier: Apache-2.0
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layer } from '@rkt/registry';
import { expect, it } from 'vitest';
import { createHashFeed, type HashFeed } from '../../src/layers/hash-feed.ts';
import type { HashedLayer, LayerPart } from '../../src/layers/image-hasher.ts';
import { sampleImage } from '../sample-image.ts';
import { temporaryDirectory } from '../temporary.ts';

const INDEX = Buffer.from('an index');

interface Fed {
  readonly feed: HashFeed;
  readonly layer: Layer;
  readonly given: (HashedLayer | LayerPart)[];
}

function fed(): Fed {
  const { layers } = sampleImage([{ tar: Buffer.alloc(1024) }]);
  const [layer] = layers;
  if (layer === undefined) throw new Error('no layer');
  const given: (HashedLayer | LayerPart)[] = [];
  const hashing = {
    addLayer: (added: HashedLayer) => void given.push(added),
    foresee: (part: LayerPart) => void given.push(part),
    finish: () => Promise.reject(new Error('not asked for')),
    dispose: () => Promise.resolve(),
  };
  return { feed: createHashFeed(layers, { hashing, maxIndexBytes: 100 }), layer, given };
}

const openFiles = (): readonly string[] => readdirSync('/proc/self/fd');

it('can be told of a layer whatever becomes of its file, and opens nothing any more when it is closed', async () => {
  const { feed, layer, given } = fed();
  const path = join(await temporaryDirectory(), 'layer.tar');
  writeFileSync(path, '');
  const before = openFiles();
  const expected = feed.expect(layer.diffId, path);
  rmSync(path);
  expected.onEntries(INDEX);
  expected.arrive(INDEX);
  const [part, whole] = given;
  expect(part?.file.fd).toBe(whole?.file.fd);
  feed.close();
  expected.onEntries(INDEX);
  expect(openFiles()).toEqual(before);
});

it('says at once that a file is not there', async () => {
  const { feed, layer } = fed();
  const path = join(await temporaryDirectory(), 'layer.tar');
  expect(() => feed.expect(layer.diffId, path)).toThrow(expect.objectContaining({ code: 'ERR_RKT_DOCKER2ACI_IO' }));
  feed.close();
});
