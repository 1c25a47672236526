// SPDX-License-Identifier: Apache-2.0
// Waits for the moment given, then asks for a layer that others ask for at the same time.
import { setTimeout as delay } from 'node:timers/promises';
import { openStore } from '@rkt/store';
import { ingestLayer } from '@rkt/store/testing';
import { twoLayerImage } from '../two-layer-image.ts';

const [dir = '', startAt = '0'] = process.argv.slice(2);
await using store = await openStore(dir);
const [layer] = twoLayerImage().layers;
if (layer === undefined) throw new Error('the sample has no layer');
await delay(Math.max(1, Number(startAt) - Date.now()));
process.stdout.write(await ingestLayer(store, layer));
