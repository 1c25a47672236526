// SPDX-License-Identifier: Apache-2.0
import { hashHere, type ImageHashing } from './image-hashing.ts';
import { type HashRequest, type Reply, sendError } from './thread-messages.ts';

/** Computes an image ID as requests tell it. */
export function createHashJob(reply: Reply): (request: HashRequest) => void {
  let hashing: ImageHashing | undefined;
  return (request) => {
    if (request.type === 'start') hashing = hashHere(request.options);
    else if (request.type === 'layer') hashing?.addLayer(request.layer);
    else if (request.type === 'part') hashing?.foresee(request.part);
    else
      hashing?.finish().then(
        (image) => reply({ type: 'hashed', image }),
        (error: unknown) => reply({ type: 'hash-failed', error: sendError(error) }),
      );
  };
}
