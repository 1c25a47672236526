// SPDX-License-Identifier: Apache-2.0
import type { Worker } from 'node:worker_threads';
import type { ImageHasherOptions } from './image-hasher.ts';
import type { ImageHashing } from './image-hashing.ts';
import { workerFailed } from './remote-unpack.ts';
import { type HashRequest, receiveError, type WorkerReply } from './thread-messages.ts';

/**
 * Hashes on another thread, which is ended with it. Descriptors belong to all threads of a process.
 */
export function hashOnThread(worker: Worker, options: ImageHasherOptions): ImageHashing {
  const outcome = Promise.withResolvers<Awaited<ReturnType<ImageHashing['finish']>>>();
  outcome.promise.catch(() => undefined);
  const send = (request: HashRequest): void => worker.postMessage(request);
  worker.on('message', (reply: WorkerReply) => {
    if (reply.type === 'hashed') outcome.resolve(reply.image);
    else if (reply.type === 'hash-failed') outcome.reject(receiveError(reply.error));
  });
  worker.on('error', (error) => outcome.reject(workerFailed(error.message, error)));
  worker.on('exit', () => outcome.reject(workerFailed('it ended early')));
  send({ to: 'hash', type: 'start', options });
  return {
    addLayer: (layer) => send({ to: 'hash', type: 'layer', layer }),
    foresee: (part) => send({ to: 'hash', type: 'part', part }),
    finish: () => {
      send({ to: 'hash', type: 'finish' });
      return outcome.promise;
    },
    dispose: async () => {
      await worker.terminate();
    },
  };
}
