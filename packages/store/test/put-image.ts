// SPDX-License-Identifier: Apache-2.0
import type { Store } from '@rkt/store';
import { ingestLayer, type SampleImage } from '@rkt/store/testing';

/** Layers, then the image, as a fetch does it. */
export async function putImage(store: Store, image: SampleImage): Promise<void> {
  for (const layer of image.layers) await ingestLayer(store, layer);
  await store.putImage(image.put);
}
