// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { BlobReader, Descriptor, OpenBlobOptions } from '@rkt/registry';
import { ConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';

/** Where in a file a blob stands. */
export interface BlobPlace {
  readonly path: string;
  /** @default 0 */
  readonly offset?: number;
}

const CHUNK_BYTES = 256 * 1024;
const REPORT_EVERY_MS = 100;

/** Reads a blob from a file; the last chunk is kept back until size and digest match. */
export function openBlobFile(descriptor: Descriptor, place: BlobPlace, options: OpenBlobOptions = {}): BlobReader {
  const start = place.offset ?? 0;
  // One byte more than expected is enough to know that a file is too long.
  const range = { start, end: start + descriptor.size - (place.offset === undefined ? 0 : 1) };
  const given = new AbortController();
  const signal = options.signal === undefined ? given.signal : AbortSignal.any([options.signal, given.signal]);
  const nothing = descriptor.size === 0 && place.offset !== undefined;
  const source = (): Reading['source'] => (nothing ? [] : chunksOf(place.path, range, signal));
  return {
    descriptor,
    [Symbol.asyncIterator]: () => verified(descriptor, place, { source: source(), onBytes: options.onBytes }),
    [Symbol.asyncDispose]: async () => given.abort(new TypeError('the blob has been disposed of')),
  };
}

/** In a layout somebody else unpacked, a pipe nobody fills may stand where a blob should. */
async function* chunksOf(
  path: string,
  range: { readonly start: number; readonly end: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) {
      throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', `${path} is not a regular file`, { path });
    }
    yield* file.createReadStream({ ...range, highWaterMark: CHUNK_BYTES, autoClose: false, signal });
  } finally {
    await file.close();
  }
}

interface Reading {
  readonly source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly onBytes: ((received: number) => void) | undefined;
}

async function* verified(descriptor: Descriptor, place: BlobPlace, reading: Reading): AsyncGenerator<Uint8Array, void> {
  const [algorithm = ''] = descriptor.digest.split(':');
  const hash = createHash(algorithm);
  let received = 0;
  let reportedAt = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of readable(reading.source, place)) {
    if (held !== undefined) yield held;
    held = chunk;
    received += chunk.length;
    if (received > descriptor.size) throw wrongSize(descriptor, received, place);
    hash.update(chunk);
    if (performance.now() - reportedAt >= REPORT_EVERY_MS && received < descriptor.size) {
      reportedAt = performance.now();
      reading.onBytes?.(received);
    }
  }
  if (received < descriptor.size) throw wrongSize(descriptor, received, place);
  const actual = `${algorithm}:${hash.digest('hex')}`;
  if (actual !== descriptor.digest) {
    const text = `digest mismatch for ${place.path}: expected ${descriptor.digest}, got ${actual}`;
    const { digest } = descriptor;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_BLOB_CORRUPT', text, { digest, expected: digest, actual });
  }
  reading.onBytes?.(received);
  if (held !== undefined) yield held;
}

async function* readable(source: Reading['source'], place: BlobPlace): AsyncGenerator<Uint8Array, void> {
  try {
    yield* source;
  } catch (error) {
    if (error instanceof ConversionError) throw error;
    if (error instanceof Error && error.name === 'AbortError') throw error.cause ?? error;
    throw toIoError(error, 'cannot read', place.path);
  }
}

function wrongSize(descriptor: Descriptor, actual: number, place: BlobPlace): ConversionError {
  const { digest, size: expected } = descriptor;
  const got = actual > expected ? 'more' : `${actual} bytes`;
  const text = `size mismatch for ${digest} in ${place.path}: expected ${expected} bytes, got ${got}`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_BLOB_CORRUPT', text, { digest, expected, actual });
}
