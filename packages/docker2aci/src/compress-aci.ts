// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';

/** How an ACI is packed. Its ID is that of the plain bytes in any case. */
export type AciCompression = 'none' | 'gzip' | 'zstd';

const CHUNK_BYTES = 256 * 1024;

/** Packs a stream. gzip can be read by everything that reads ACIs; zstd is faster and smaller, and by rkt of this project. */
export async function* compressAci(
  source: AsyncIterable<Uint8Array>,
  compression: AciCompression,
): AsyncGenerator<Uint8Array, void> {
  if (compression === 'none') {
    yield* source;
    return;
  }
  const options = { chunkSize: CHUNK_BYTES };
  const packer = compression === 'gzip' ? createGzip(options) : createZstdCompress(options);
  const fed = pipeline(Readable.from(source, { objectMode: true, highWaterMark: 4 }), packer);
  // Reading the output below fails with the same error; here it must only not go unhandled.
  fed.catch(() => undefined);
  for await (const chunk of packer) yield chunk;
  await fed;
}
