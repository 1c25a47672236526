// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { createHeapRelief } from './heap-relief.ts';
import { createImageHasher, type HashedImage, type HashedLayer, type ImageHasherOptions } from './image-hasher.ts';

/** An image ID being computed, on this thread or another. */
export interface ImageHashing {
  /** Top layer first. */
  addLayer(layer: HashedLayer): void;
  /** After the base layer. Rejects with what went wrong, also in `addLayer`. */
  finish(): Promise<HashedImage>;
  /** Reads no layer any more when it resolves. To be called whatever happened. */
  dispose(): Promise<void>;
}

/** Hashes on this thread, in turns with everything else it does. */
export function hashHere(options: ImageHasherOptions): ImageHashing {
  const hasher = createImageHasher(options);
  const relief = createHeapRelief();
  let left = options.layerCount;
  let disposed = false;
  let tail = Promise.resolve();
  const hash = async (layer: HashedLayer): Promise<void> => {
    await setImmediate();
    if (disposed) return;
    for (const _turn of hasher.addLayer(layer)) {
      await setImmediate();
      if (disposed) return;
    }
    left -= 1;
    // Behind the last layer somebody waits.
    if (left > 0) relief.layerDone();
  };
  return {
    addLayer: (layer) => {
      tail = tail.then(() => hash(layer));
      // Whoever asks for the end learns of a failure.
      tail.catch(() => undefined);
    },
    finish: async () => {
      await tail;
      if (disposed) throw new TypeError('hashing was given up before it had finished');
      return hasher.finish();
    },
    dispose: async () => {
      disposed = true;
      await tail.catch(() => undefined);
    },
  };
}
