// SPDX-License-Identifier: Apache-2.0
import type { Image } from '@rkt/registry';
import type { ImageRecord, RemoteRecord } from '@rkt/store';
import type { Session } from '../wiring/session.ts';
import type { ObtainOptions } from './obtain-options.ts';

export interface StoreImageOptions extends ObtainOptions {
  readonly remote?: Omit<RemoteRecord, 'imageId'>;
}

/** Converts an image and commits it to the store; layers that the store has are not read again. */
export async function storeImage(session: Session, image: Image, options: StoreImageOptions): Promise<ImageRecord> {
  const store = await session.store();
  const { signal } = session.interrupts;
  const { progress } = options;
  try {
    const converted = await session.libraries.convertImage(image, {
      repository: store,
      signal,
      onProgress: progress.onEvent,
    });
    return await store.putImage({
      id: converted.id,
      name: displayName(converted.manifest.name, image.reference.tag),
      manifestBytes: converted.manifestBytes,
      layers: converted.layers.map(({ diffId }) => diffId),
      size: converted.size,
      signal,
      ...(options.remote === undefined ? {} : { remote: options.remote }),
    });
  } finally {
    progress.end();
  }
}

/** The tag is not part of the image, only of the name it was asked for by. */
function displayName(name: string, tag: string | undefined): string {
  return tag === undefined ? name : `${name}:${tag}`;
}
