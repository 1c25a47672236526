// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import type { Layer } from '@rkt/registry';
import { toIoError } from '../io-error.ts';
import type { ImageHashing } from './image-hashing.ts';
import type { OpenLayer } from './read-range.ts';

/** A layer whose tar is whole and is what its diffID says, though it may not be durable yet. */
export interface VerifiedLayer {
  /** Of the tar; it may be renamed as soon as the layer has been taken note of. */
  readonly path: string;
  readonly index: Uint8Array;
}

/** Puts layers, which arrive in any order, into the order hashing wants them: from the top down. */
export interface HashFeed {
  /** @throws ConversionError `IO` */
  arrive(diffId: string, layer: VerifiedLayer): void;
  /** To be called whatever happened, and when nobody hashes any more. */
  close(): void;
}

interface Arrived {
  readonly file: OpenLayer;
  readonly index: Uint8Array;
}

/** Hands a layer on as soon as all above it have come. */
export function createHashFeed(layers: readonly Layer[], hashing: ImageHashing): HashFeed {
  const arrived = new Map<string, Arrived>();
  let next = layers.length - 1;
  return {
    arrive: (diffId, { path, index }) => {
      arrived.set(diffId, { file: { path, fd: open(path) }, index });
      for (let wanted = layers[next]; wanted !== undefined; wanted = layers[next]) {
        const found = arrived.get(wanted.diffId);
        if (found === undefined) return;
        hashing.addLayer({ diffId: wanted.diffId, ...found });
        next -= 1;
      }
    },
    close: () => {
      for (const { file } of arrived.values()) closeSync(file.fd);
      arrived.clear();
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw toIoError(error, 'cannot open', path);
  }
}
