// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import { encodeLayerIndex, type LayerEntry } from '@rkt/appc';
import { expect, it, onTestFinished } from 'vitest';
import { hashHere } from '../../src/layers/image-hashing.ts';

const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };
const hole = (path: string, size: number, headerOffset: number): LayerEntry => ({
  kind: 'file',
  path,
  headerOffset,
  size,
  extents: [],
  ...attributes,
});

function hashing(layers: readonly (readonly LayerEntry[])[], maxBytes = 1 << 30) {
  const fd = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(fd));
  const work = hashHere({ manifestBytes: Buffer.from('{}'), layerCount: layers.length, maxBytes });
  for (const [at, entries] of layers.entries()) {
    const index = encodeLayerIndex({ size: entries.length * 512 + 1024, entries });
    work.addLayer({ diffId: `sha256:${String(at).repeat(64)}`, file: { fd, path: '/dev/null' }, index });
  }
  return work;
}

it('lets others have their turn while it hashes holes, of which a few bytes can hold gigabytes', async () => {
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 0);
  const { size } = await hashing([[hole('a', 64 << 20, 0)], [hole('b', 64 << 20, 0)]]).finish();
  clearInterval(counting);
  expect(size).toBeGreaterThan(128 << 20);
  expect(turns).toBeGreaterThan(5);
});

it('ends when the image is larger than allowed', async () => {
  const code = 'ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED';
  await expect(hashing([[hole('a', 64 << 20, 0)]], 1 << 20).finish()).rejects.toMatchObject({ code });
});

it('does nothing more once it has been given up', async () => {
  const work = hashing([[hole('a', 512 << 20, 0)]]);
  const outcome = work.finish().catch((error: unknown) => error);
  await work.dispose();
  expect(await outcome).toBeInstanceOf(TypeError);
});
