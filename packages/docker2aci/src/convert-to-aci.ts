// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { aciSegments, decodeLayerIndex, type LayerRepository, mergeLayers } from '@rkt/appc';
import type { AbortOptions, Image } from '@rkt/registry';
import { type ConvertedImage, type ConvertImageOptions, convertImage } from './convert-image.ts';
import { ConversionError } from './errors.ts';
import { shorterThanIndex } from './layers/read-range.ts';
import { directoryRepository } from './repository/directory-repository.ts';

export interface ConvertToAciOptions extends Omit<ConvertImageOptions, 'repository'> {
  /** Keeps the layers here for the next conversion. @default a temporary directory that is removed at the end */
  readonly dir?: string;
  /** Where the temporary directory is made, if there is no `dir`. @default the system's */
  readonly tmpDir?: string;
  /** @default 'none' */
  readonly compression?: 'none' | 'gzip';
  /** Called before the first byte. */
  readonly onConverted?: (image: ConvertedImage) => void;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * The ACI of an image as a stream, for those who have no store. Layers go through files: their tars need the room of the
 * uncompressed image. Ending the iteration early removes temporary files as reaching its end does.
 *
 * @throws as `convertImage` does
 * @example
 * ```ts
 * await pipeline(convertToAci(image, { compression: 'gzip' }), createWriteStream('busybox.aci'));
 * ```
 */
export async function* convertToAci(image: Image, options: ConvertToAciOptions = {}): AsyncGenerator<Uint8Array, void> {
  options.signal?.throwIfAborted();
  const directory = options.dir ?? (await mkdtemp(join(options.tmpDir ?? tmpdir(), 'docker2aci-')));
  try {
    const repository = directoryRepository(directory);
    const converted = await convertImage(image, { ...options, repository });
    options.onConverted?.(converted);
    const stream = aciStream(converted, repository, options);
    yield* options.compression === 'gzip' ? gzipped(stream) : stream;
  } finally {
    if (options.dir === undefined) await rm(directory, { recursive: true, force: true });
  }
}

interface OpenFile {
  readonly path: string;
  readonly file: FileHandle;
}

async function* aciStream(
  image: ConvertedImage,
  repository: LayerRepository,
  options: AbortOptions,
): AsyncGenerator<Uint8Array, void> {
  const files: OpenFile[] = [];
  try {
    const layers = [];
    for (const { diffId } of image.layers) {
      const layer = await repository.prepareLayer(diffId, options);
      if (layer.state === 'ingest') {
        await layer.abort();
        throw new ConversionError('ERR_RKT_DOCKER2ACI_IO', `layer ${diffId} has been removed while it was needed`);
      }
      files.push({ path: layer.path, file: await open(layer.path) });
      layers.push({ diffId, index: decodeLayerIndex(layer.index) });
    }
    for (const segment of aciSegments(mergeLayers(layers), image.manifestBytes)) {
      options.signal?.throwIfAborted();
      if (segment.kind === 'bytes') yield segment.bytes;
      else yield* readRange(files[segment.layer], segment.tarOffset, segment.length);
    }
  } finally {
    await Promise.all(files.map(({ file }) => file.close()));
  }
}

async function* readRange(
  layer: OpenFile | undefined,
  start: number,
  length: number,
): AsyncGenerator<Uint8Array, void> {
  if (layer === undefined) throw new RangeError('a segment names a layer the image does not have');
  for (let at = 0; at < length; ) {
    const size = Math.min(CHUNK_BYTES, length - at);
    const read = await layer.file.read(Buffer.allocUnsafe(size), 0, size, start + at);
    if (read.bytesRead === 0) throw shorterThanIndex(layer.path, start + at);
    yield read.buffer.subarray(0, read.bytesRead);
    at += read.bytesRead;
  }
}

async function* gzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const gzip = createGzip({ chunkSize: CHUNK_BYTES });
  const fed = pipeline(Readable.from(source, { objectMode: true, highWaterMark: 4 }), gzip);
  // Reading the output below fails with the same error; here it must only not go unhandled.
  fed.catch(() => undefined);
  for await (const chunk of gzip) yield chunk;
  await fed;
}
