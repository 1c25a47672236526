// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { createImageHasher, type HashedImage, type HashedLayer, type ImageHasherOptions } from './image-hasher.ts';
import { workerFailed } from './remote-unpack.ts';
import { type HashReply, type HashRequest, receiveError } from './thread-messages.ts';

/** An image ID being computed, on this thread or another. */
export interface ImageHashing {
  /** Top layer first. */
  addLayer(layer: HashedLayer): void;
  /** After the base layer. Rejects with what went wrong, also in `addLayer`. */
  finish(): Promise<HashedImage>;
  /** To be called whatever happened. */
  dispose(): Promise<void>;
}

/** Hashes on a thread of its own, while the layers below still arrive. Descriptors belong to all threads of a process. */
export function hashOnThread(worker: Worker, options: ImageHasherOptions): ImageHashing {
  const outcome = Promise.withResolvers<HashedImage>();
  outcome.promise.catch(() => undefined);
  const send = (request: HashRequest): void => worker.postMessage(request);
  worker.on('message', (reply: HashReply) => {
    if (reply.type === 'done') outcome.resolve(reply.image);
    else outcome.reject(receiveError(reply.error));
  });
  worker.on('error', (error) => outcome.reject(workerFailed(error.message, error)));
  worker.on('exit', () => outcome.reject(workerFailed('it ended early')));
  send({ type: 'start', options });
  return {
    addLayer: (layer) => send({ type: 'layer', layer }),
    finish: () => {
      send({ type: 'finish' });
      return outcome.promise;
    },
    dispose: async () => {
      await worker.terminate();
    },
  };
}

/** Hashes on this thread, in turns with everything else it does. */
export function hashHere(options: ImageHasherOptions): ImageHashing {
  const hasher = createImageHasher(options);
  let disposed = false;
  let tail = Promise.resolve();
  const hash = async (layer: HashedLayer): Promise<void> => {
    for (const _turn of hasher.addLayer(layer)) {
      await setImmediate();
      if (disposed) return;
    }
  };
  return {
    addLayer: (layer) => {
      tail = tail.then(() => hash(layer));
      // Whoever asks for the end learns of a failure.
      tail.catch(() => undefined);
    },
    finish: async () => {
      await tail;
      return hasher.finish();
    },
    dispose: async () => {
      disposed = true;
      await tail.catch(() => undefined);
    },
  };
}
