// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import type { Layer } from '@rkt/registry';
import { ConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import type { ImageHashing } from './image-hashing.ts';
import type { OnEntries } from './layer-job.ts';
import type { OpenLayer } from './read-range.ts';

/** A layer whose tar is whole and is what its diffID says, though it may not be durable yet. */
export interface VerifiedLayer {
  /** Of the tar; it may be renamed as soon as the layer has been taken note of. */
  readonly path: string;
  readonly index: Uint8Array;
}

/** A layer being unpacked into a file of its own, which becomes part of the image if it proves right. */
export interface ExpectedLayer {
  /** Of entries whose content the file has by now; see `OnEntries`. Never throws: nobody waits for what comes from a thread. */
  readonly onEntries: OnEntries;
  /** The file is whole and right. @throws ConversionError `LIMIT_EXCEEDED` */
  arrive(index: Uint8Array): void;
}

/** Puts layers, which arrive in any order, into the order hashing wants them: from the top down. */
export interface HashFeed {
  /** @throws ConversionError `IO`, `LIMIT_EXCEEDED` */
  arrive(diffId: string, layer: VerifiedLayer): void;
  /** To be asked for each attempt at a layer. `path`: of its file, which is there and empty. @throws ConversionError `IO` */
  expect(diffId: string, path: string): ExpectedLayer;
  /** To be called whatever happened, and when nobody hashes any more. */
  close(): void;
}

/** What is known of a layer whose turn has not come. */
interface Told {
  readonly file: OpenLayer;
  readonly indexes: Uint8Array[];
}

interface Arrived {
  readonly file: OpenLayer;
  readonly index: Uint8Array;
}

export interface HashFeedOptions {
  readonly hashing: ImageHashing;
  readonly maxIndexBytes: number;
}

/**
 * Hands a layer on as soon as all above it have come, and what is known of the next one before that. What has been handed on
 * is not kept.
 */
export function createHashFeed(layers: readonly Layer[], { hashing, maxIndexBytes }: HashFeedOptions): HashFeed {
  const arrived = new Map<string, Arrived>();
  const told = new Map<string, Told>();
  const files: OpenLayer[] = [];
  const left = new Map<string, number>();
  for (const { diffId } of layers) left.set(diffId, (left.get(diffId) ?? 0) + 1);
  let indexBytes = 0;
  let next = layers.length - 1;
  const foretell = (diffId: string): void => {
    const known = told.get(diffId);
    for (const index of known?.indexes.splice(0) ?? [])
      if (known !== undefined) hashing.foresee({ file: known.file, index });
  };
  const opened = (path: string): OpenLayer => {
    const file = { path, fd: open(path) };
    files.push(file);
    return file;
  };
  const handOn = (): void => {
    for (let wanted = layers[next]; wanted !== undefined; wanted = layers[next]) {
      const { diffId } = wanted;
      const found = arrived.get(diffId);
      if (found === undefined) {
        foretell(diffId);
        return;
      }
      hashing.addLayer({ diffId, ...found });
      next -= 1;
      const more = (left.get(diffId) ?? 1) - 1;
      left.set(diffId, more);
      if (more === 0) arrived.delete(diffId);
    }
  };
  const arrive = (diffId: string, layer: Arrived): void => {
    told.delete(diffId);
    indexBytes += layer.index.length * (left.get(diffId) ?? 1);
    if (indexBytes > maxIndexBytes) throw indexesTooLarge(maxIndexBytes);
    arrived.set(diffId, layer);
    handOn();
  };
  return {
    arrive: (diffId, { path, index }) => arrive(diffId, { file: opened(path), index }),
    expect: (diffId, path) => {
      const known: Told = { file: opened(path), indexes: [] };
      told.set(diffId, known);
      return {
        onEntries: (index) => {
          known.indexes.push(index);
          if (layers[next]?.diffId === diffId) foretell(diffId);
        },
        arrive: (index) => arrive(diffId, { file: known.file, index }),
      };
    },
    close: () => {
      for (const { fd } of files.splice(0)) closeSync(fd);
    },
  };
}

function indexesTooLarge(expected: number): ConversionError {
  const text = `the files of the image take more than ${expected} bytes to list`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { expected });
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw toIoError(error, 'cannot open', path);
  }
}
