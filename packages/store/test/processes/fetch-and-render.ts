// SPDX-License-Identifier: Apache-2.0
// Fetches and renders one image, removes it, or takes in an ACI; killed by its own hand before the n-th change of the disk.
import { openStore } from '@rkt/store';
import { ingestLayer, putAci, sampleAci } from '@rkt/store/testing';
import { twoLayerImage } from '../two-layer-image.ts';

const [dir = '', task, killAt = '0'] = process.argv.slice(2);
let step = 0;
await using store = await openStore(dir, {
  onStep: () => {
    step += 1;
    if (step === Number(killAt)) process.kill(process.pid, 'SIGKILL');
  },
});
const image = twoLayerImage();
if (task === 'aci') {
  await putAci(store, sampleAci({ name: 'example.com/aci' }, { a: 'a' }));
} else if (task === 'remove') {
  await store.removeImage(image.put.id);
} else {
  for (const layer of image.layers) await ingestLayer(store, layer);
  await store.putImage(image.put);
  await using lease = await store.lease();
  await lease.retain(image.put.id);
  await store.renderTree(image.put.id, { backend: 'erofs', lease });
}
process.stdout.write(String(step));
