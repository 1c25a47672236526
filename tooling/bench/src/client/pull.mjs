// SPDX-License-Identifier: Apache-2.0
//
// pull.mjs HOST:PORT/NAME:TAG: all layers of an image, verified and thrown away. JavaScript, since the start of this
// program is measured and taking types away would be a part of it.

import { parseReference } from '@rkt/refparse';
import { createRegistry, imageSource } from '@rkt/registry';

await using registry = createRegistry();
const image = await imageSource(registry).open(parseReference(process.argv[2] ?? ''));
await Promise.all(
  image.layers.map(async (layer) => {
    let bytes = 0;
    for await (const chunk of await layer.open({ releaseChunks: true })) bytes += chunk.length;
    if (bytes !== layer.descriptor.size) throw new Error(`${bytes} bytes of ${layer.descriptor.digest}`);
  }),
);
