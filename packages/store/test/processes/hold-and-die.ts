// SPDX-License-Identifier: Apache-2.0
// Leaves everything a process can leave behind: a lease, a hold, a lock with an unfinished layer.
import { writeSync } from 'node:fs';
import { openStore } from '@rkt/store';
import { ingestLayer, sampleLayer } from '@rkt/store/testing';
import { twoLayerImage } from '../two-layer-image.ts';

const store = await openStore(process.argv[2] ?? '');
const image = twoLayerImage();
for (const layer of image.layers) await ingestLayer(store, layer);
await store.putImage(image.put);
await (await store.lease()).retain(image.put.id);
await ingestLayer(store, sampleLayer({ 'only/held': 'by a fetch in progress' }));
const leave = await store.prepareLayer(`sha256:${'7'.repeat(64)}`);
if (leave.state === 'ingest') writeSync(1, leave.path);
process.kill(process.pid, 'SIGKILL');
