// SPDX-License-Identifier: Apache-2.0
// Fetches and removes one image again and again for a time; any failure ends it with a status.
import { isStoreError, openStore } from '@rkt/store';
import { ingestLayer } from '@rkt/store/testing';
import { twoLayerImage } from '../two-layer-image.ts';

const [dir = '', milliseconds = '0'] = process.argv.slice(2);
await using store = await openStore(dir);
const image = twoLayerImage();
const end = Date.now() + Number(milliseconds);
let rounds = 0;
while (Date.now() < end) {
  for (const layer of image.layers) await ingestLayer(store, layer);
  await store.putImage(image.put);
  rounds += 1;
  try {
    await store.removeImage(image.put.id);
  } catch (error) {
    // Another process removed it first.
    if (!isStoreError(error) || error.code !== 'ERR_RKT_STORE_IMAGE_NOT_FOUND') throw error;
  }
}
process.stdout.write(String(rounds));
