// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import { type AciSegment, decodeLayerIndex, type LayerRepository, type StackableLayer } from '@rkt/appc';
import type { AbortOptions } from '@rkt/registry';
import type { ConvertedImage } from './convert-image.ts';
import { ConversionError } from './errors.ts';
import { toIoError } from './io-error.ts';
import { shorterThanIndex } from './layers/read-range.ts';

/** The layers of a converted image, open for reading. */
export interface OpenLayers extends AsyncDisposable {
  /** Base first. */
  readonly layers: readonly StackableLayer[];
  /** The bytes that segments stand for. */
  read(segments: Iterable<AciSegment>): AsyncGenerator<Uint8Array, void>;
}

interface OpenFile {
  readonly path: string;
  readonly file: FileHandle;
}

const CHUNK_BYTES = 256 * 1024;

/** @throws ConversionError `IO`, also if a layer has gone meanwhile */
export async function openLayers(
  image: ConvertedImage,
  repository: LayerRepository,
  options: AbortOptions,
): Promise<OpenLayers> {
  const files: OpenFile[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(files.map(({ file }) => file.close()));
  };
  try {
    const layers: StackableLayer[] = [];
    for (const { diffId } of image.layers) {
      const layer = await repository.prepareLayer(diffId, options);
      if (layer.state === 'ingest') {
        await layer.abort();
        throw new ConversionError('ERR_RKT_DOCKER2ACI_IO', `layer ${diffId} has been removed while it was needed`);
      }
      files.push({ path: layer.path, file: await openFile(layer.path) });
      layers.push({ diffId, index: decodeLayerIndex(layer.index) });
    }
    return { layers, read: (segments) => readSegments(files, segments, options), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    throw toIoError(error, 'cannot read', path);
  }
}

async function* readSegments(
  files: readonly OpenFile[],
  segments: Iterable<AciSegment>,
  { signal }: AbortOptions,
): AsyncGenerator<Uint8Array, void> {
  for (const segment of segments) {
    signal?.throwIfAborted();
    if (segment.kind === 'bytes') yield segment.bytes;
    else yield* readRange(files[segment.layer], segment.tarOffset, segment.length);
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
