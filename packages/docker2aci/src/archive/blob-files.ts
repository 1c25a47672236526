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
const CHUNKS_IN_USE = 2;
const REPORT_EVERY_MS = 100;

/** Reads a blob from a file; the last chunk is kept back until size and digest match. */
export function openBlobFile(descriptor: Descriptor, place: BlobPlace, options: OpenBlobOptions = {}): BlobReader {
  const start = place.offset ?? 0;
  // One byte more than expected is enough to know that a file is too long.
  const range = { start, end: start + descriptor.size + (place.offset === undefined ? 1 : 0) };
  const given = new AbortController();
  const signal = options.signal === undefined ? given.signal : AbortSignal.any([options.signal, given.signal]);
  return {
    descriptor,
    [Symbol.asyncIterator]: () =>
      verified(descriptor, place, { source: chunksOf(place.path, { ...range, ...options, signal }), ...options }),
    [Symbol.asyncDispose]: async () => given.abort(new TypeError('the blob has been disposed of')),
  };
}

interface ReadOptions extends Pick<OpenBlobOptions, 'releaseChunks'> {
  readonly start: number;
  /** The first byte that is no longer wanted. */
  readonly end: number;
  readonly signal: AbortSignal;
}

/**
 * In a layout somebody else unpacked, a pipe nobody fills may stand where a blob should. No stream: one that is made with a
 * signal that has fired emits its error when nobody listens yet, which ends the process.
 */
async function* chunksOf(path: string, options: ReadOptions): AsyncGenerator<Uint8Array, void> {
  const { start, end, signal, releaseChunks = false } = options;
  // One is being used, the other is kept back: left to the collector, chunks amount to tens of megabytes.
  const buffers: Buffer[] = [];
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) {
      throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', `${path} is not a regular file`, { path });
    }
    for (let at = start; at < end; ) {
      signal.throwIfAborted();
      const size = Math.min(CHUNK_BYTES, end - at);
      const free = buffers.length === CHUNKS_IN_USE ? buffers.shift() : undefined;
      const { buffer, bytesRead } = await file.read(free ?? Buffer.allocUnsafeSlow(size), 0, size, at);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
      if (releaseChunks) buffers.push(buffer);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ConversionError) throw error;
    throw toIoError(error, 'cannot read', path);
  }
}

interface Reading extends Pick<OpenBlobOptions, 'onBytes'> {
  readonly source: AsyncIterable<Uint8Array>;
}

async function* verified(descriptor: Descriptor, place: BlobPlace, reading: Reading): AsyncGenerator<Uint8Array, void> {
  const [algorithm = ''] = descriptor.digest.split(':');
  const hash = createHash(algorithm);
  let received = 0;
  let reportedAt = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of reading.source) {
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

function wrongSize(descriptor: Descriptor, actual: number, place: BlobPlace): ConversionError {
  const { digest, size: expected } = descriptor;
  const got = actual > expected ? 'more' : `${actual} bytes`;
  const text = `size mismatch for ${digest} in ${place.path}: expected ${expected} bytes, got ${got}`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_BLOB_CORRUPT', text, { digest, expected, actual });
}
