// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { openStore } from '@rkt/store';
import { closedImage } from '../awkward-image.ts';
import { putImage } from '../put-image.ts';

const [scratch = '', directory = ''] = process.argv.slice(2);
const NOBODY = 65_534;

/** What is left of an image with closed directories when it has been extracted and removed. */
async function extractAndRemove(dir: string): Promise<unknown> {
  await using store = await openStore(dir);
  const image = closedImage();
  await putImage(store, image);
  const lease = await store.lease();
  await lease.retain(image.put.id);
  const { type } = await store.renderTree(image.put.id, { backend: 'directory', lease });
  await lease[Symbol.asyncDispose]();
  const removed = await store.removeImage(image.put.id);
  return [type, ...removed.map(({ kind }) => kind)];
}

// As root first: afterwards every module is loaded, wherever nobody may not read.
await extractAndRemove(join(scratch, 'root'));
process.setgroups?.([]);
process.setgid?.(NOBODY);
process.setuid?.(NOBODY);
process.stdout.write(JSON.stringify(await extractAndRemove(directory)));
