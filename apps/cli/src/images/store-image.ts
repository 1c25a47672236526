// SPDX-License-Identifier: Apache-2.0
import type { SpareWorker } from '@rkt/docker2aci';
import type { Image, Layer } from '@rkt/registry';
import type { ImageRecord, RemoteRecord } from '@rkt/store';
import type { ComingLayer, LayerSource } from '../render/progress/progress.ts';
import type { Session } from '../wiring/session.ts';
import { storedName } from './image-names.ts';
import type { ObtainOptions } from './obtain-options.ts';

export interface StoreImageOptions extends ObtainOptions {
  readonly source: LayerSource;
  readonly spare?: SpareWorker | undefined;
  readonly remote?: Omit<RemoteRecord, 'imageId'>;
  /** Names it has besides its reference. */
  readonly otherNames?: readonly string[];
}

/** Converts an image and commits it to the store; layers that the store has are not read again. */
export async function storeImage(session: Session, image: Image, options: StoreImageOptions): Promise<ImageRecord> {
  const store = await session.store();
  const { signal } = session.interrupts;
  const { progress, source } = options;
  const reference = storedName(image.reference);
  try {
    progress.onEvent({ type: 'image:start', reference, source, layers: image.layers.map(coming) });
    const converted = await session.libraries.convertImage(image, {
      repository: store,
      signal,
      onProgress: progress.onEvent,
      spare: options.spare,
    });
    return await store.putImage({
      id: converted.id,
      name: reference,
      otherNames: options.otherNames ?? [],
      manifestBytes: converted.manifestBytes,
      layers: converted.layers.map(({ diffId }) => diffId),
      size: converted.size,
      configBytes: image.configBytes,
      signal,
      ...(options.remote === undefined ? {} : { remote: options.remote }),
    });
  } finally {
    progress.end();
  }
}

function coming({ descriptor: { digest, size }, diffId }: Layer): ComingLayer {
  return { digest, diffId, size };
}
