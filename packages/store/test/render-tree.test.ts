// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeLayerIndex, encodeLayerIndex, type LayerEntry } from '@rkt/appc';
import { openStore } from '@rkt/store';
import { type SampleLayer, sampleImage, sampleLayer } from '@rkt/store/testing';
import { expect, it } from 'vitest';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Content that begins in the middle of a block, which EROFS cannot point at. */
function unaligned(layer: SampleLayer): SampleLayer {
  const index = decodeLayerIndex(layer.index);
  const entries = index.entries.map((entry): LayerEntry => {
    if (entry.kind !== 'file') return entry;
    const extents = entry.extents.map((extent) => ({
      ...extent,
      tarOffset: extent.tarOffset + 1,
      length: extent.length - 1,
    }));
    return { ...entry, size: entry.size - 1, extents };
  });
  return { ...layer, index: encodeLayerIndex({ ...index, entries }) };
}

it('extracts a tree that EROFS cannot hold, and says so', async () => {
  await using store = await openStore(join(temporaryDirectory(), 'store'));
  const image = sampleImage('example.com/odd:1', [unaligned(sampleLayer({ 'etc/text': '?text' }))]);
  await putImage(store, image);
  await using lease = await store.lease();
  await lease.retain(image.put.id);
  for (let time = 0; time < 2; time++) {
    const tree = await store.renderTree(image.put.id, { backend: 'erofs', lease });
    if (tree.type !== 'directory') throw new Error(`rendered as ${tree.type}`);
    expect(readFileSync(join(tree.path, 'etc/text'), 'utf8')).toBe('text');
  }
});
