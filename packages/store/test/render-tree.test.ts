// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@rkt/store';
import { expect, it } from 'vitest';
import { unalignedImage } from './awkward-image.ts';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';

it('extracts a tree that EROFS cannot hold, and says so', async () => {
  await using store = await openStore(join(temporaryDirectory(), 'store'));
  const image = unalignedImage();
  await putImage(store, image);
  await using lease = await store.lease();
  await lease.retain(image.put.id);
  for (let time = 0; time < 2; time++) {
    const tree = await store.renderTree(image.put.id, { backend: 'erofs', lease });
    if (tree.type !== 'directory') throw new Error(`rendered as ${tree.type}`);
    expect(readFileSync(join(tree.path, 'etc/text'), 'latin1')).toBe(`head${'\0'.repeat(508)}tail`);
  }
});
