// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { createHeapRelief } from './heap-relief.ts';
import {
  createImageHasher,
  type HashedImage,
  type HashedLayer,
  type ImageHasherOptions,
  type LayerPart,
} from './image-hasher.ts';

/** An image ID being computed, on this thread or another. */
export interface ImageHashing {
  /** Top layer first. */
  addLayer(layer: HashedLayer): void;
  /** Part of the layer that will be added next, to be hashed ahead if there is time before it is added. */
  foresee(part: LayerPart): void;
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
  let asked = 0;
  let disposed = false;
  let tail = Promise.resolve();
  const inTurns = async (work: Generator<void>): Promise<void> => {
    await setImmediate();
    while (!disposed && work.next().done !== true) await setImmediate();
  };
  const enqueue = (work: () => Promise<void> | undefined): void => {
    tail = tail.then(work);
    // Whoever asks for the end learns of a failure.
    tail.catch(() => undefined);
  };
  return {
    addLayer: (layer) => {
      asked += 1;
      enqueue(async () => {
        await inTurns(hasher.addLayer(layer));
        left -= 1;
        // Behind the last layer somebody waits.
        if (left > 0) relief.layerDone();
      });
    },
    foresee: (part) => {
      const before = asked;
      // When its layer has come in the meantime, there is nothing left to foresee.
      enqueue(() => (asked > before ? undefined : inTurns(hasher.foresee(part))));
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
