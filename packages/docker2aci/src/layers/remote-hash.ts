// SPDX-License-Identifier: Apache-2.0
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

/** Hashes on a thread of its own, while the layers below still arrive. */
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

/** Hashes on this thread: for images so small that starting a thread takes longer. */
export function hashHere(options: ImageHasherOptions): ImageHashing {
  const hasher = createImageHasher(options);
  return {
    addLayer: (layer) => hasher.addLayer(layer),
    finish: async () => hasher.finish(),
    dispose: async () => hasher.close(),
  };
}
