// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@rkt/store';
import { expect, it } from 'vitest';
import { type BeforeOperation, interceptFiles } from './faults/intercept-files.ts';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { twoLayerImage } from './two-layer-image.ts';

const image = twoLayerImage();
const { id, layers } = image.put;

it.each<[string, (dir: string) => string]>([
  ['a layer', (dir) => fileOf(dir, 0, 'tar')],
  ['the index of a layer', (dir) => fileOf(dir, 1, 'idx')],
  ['a tree', (dir) => join(dir, 'cas/trees', `${id}.erofs`)],
  ['the manifest', (dir) => join(dir, 'cas/images', id)],
])('an image of which %s cannot be removed is gone, with all else of it', async (_what, pathIn) => {
  const dir = temporaryDirectory();
  await using store = await openStore(dir);
  await putImage(store, image);
  {
    await using lease = await store.lease();
    await lease.retain(id);
    await store.renderTree(id, { backend: 'erofs', lease });
  }
  const before = filesIn(dir);
  const path = pathIn(dir);
  const refuse: BeforeOperation = (operation) => {
    if (!/^(unlink|rename)$/.test(operation.name) || operation.path !== path) return;
    throw Object.assign(new Error('EIO: injected'), { code: 'EIO', errno: -1, syscall: operation.name });
  };
  const stop = await interceptFiles(`${dir}/cas/`, refuse);
  try {
    await expect(store.removeImage(id)).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_IO',
      subject: id,
      message: expect.stringMatching(/EIO: injected; the image is gone: `rkt image gc` removes what is left$/),
    });
  } finally {
    stop();
  }
  expect(existsSync(path)).toBe(true);
  const left = filesIn(dir).filter((each) => !each.endsWith('.removal'));
  const ofWhat = path.replace(/\.(tar|idx)$/, '');
  expect(left).toEqual(before.filter((each) => each === path || each.startsWith(`${ofWhat}/`) || isPair(each, path)));
  expect(await store.listImages()).toEqual([]);
  await store.gc({ graceMs: 0 });
  expect(filesIn(dir)).toEqual([]);
});

/** A tar never stands without its index. */
function isPair(each: string, path: string): boolean {
  return path.endsWith('.tar') && each === path.replace(/tar$/, 'idx');
}

function fileOf(dir: string, at: number, extension: string): string {
  const hex = layers[at]?.slice('sha256:'.length) ?? '';
  return join(dir, 'cas/layers/sha256', hex.slice(0, 2), `${hex}.${extension}`);
}

function filesIn(dir: string): readonly string[] {
  return ['layers', 'images', 'trees', 'tmp'].flatMap((within) =>
    readdirSync(join(dir, 'cas', within), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
}
