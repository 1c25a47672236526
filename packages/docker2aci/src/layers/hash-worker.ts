// SPDX-License-Identifier: Apache-2.0
//
// Program of the worker thread that computes an image ID. It is loaded by path or bundled into one script: it exports nothing.

import { parentPort } from 'node:worker_threads';
import { allTurns, createImageHasher, type HashedLayer, type ImageHasher } from './image-hasher.ts';
import { type HashReply, type HashRequest, sendError } from './thread-messages.ts';

let hasher: ImageHasher | undefined;

parentPort?.on('message', (request: HashRequest) => {
  try {
    handle(request);
  } catch (error) {
    hasher = undefined;
    reply({ type: 'failed', error: sendError(error) });
  }
});

function handle(request: HashRequest): void {
  if (request.type === 'start') hasher = createImageHasher(request.options);
  else if (request.type === 'layer') addLayer(request.layer);
  else if (hasher !== undefined) {
    const image = hasher.finish();
    hasher = undefined;
    reply({ type: 'done', image });
  }
}

function addLayer(layer: HashedLayer): void {
  if (hasher !== undefined) allTurns(hasher.addLayer(layer));
}

function reply(message: HashReply): void {
  parentPort?.postMessage(message);
}
