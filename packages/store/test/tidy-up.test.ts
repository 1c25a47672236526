// SPDX-License-Identifier: Apache-2.0
import { openStore } from '@rkt/store';
import { ingestLayer } from '@rkt/store/testing';
import { expect, it } from 'vitest';
import { type BeforeOperation, interceptFiles } from './faults/intercept-files.ts';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { twoLayerImage } from './two-layer-image.ts';

it.each([
  ['of a layer', 0],
  ['of an image', 2],
])('a failure %s is told also where what it leaves cannot be removed', async (_what, layersBefore) => {
  const dir = temporaryDirectory();
  await using store = await openStore(dir);
  const image = twoLayerImage();
  for (const layer of image.layers.slice(0, layersBefore)) await ingestLayer(store, layer);
  let failed = 0;
  const before: BeforeOperation = ({ name, path }) => {
    if (name === 'unlink' && failed > 0) throw systemError('EIO', name);
    if (name !== 'write' || !path.endsWith('.file')) return;
    failed += 1;
    throw systemError('ENOSPC', name);
  };
  const stop = await interceptFiles(`${dir}/cas/`, before);
  try {
    await expect(putImage(store, image)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_DISK_FULL' });
  } finally {
    stop();
  }
  expect(failed).toBe(1);
});

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code, errno: -1, syscall });
}
