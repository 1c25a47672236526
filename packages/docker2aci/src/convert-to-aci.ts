// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aciSegments, mergeLayers } from '@rkt/appc';
import type { Image } from '@rkt/registry';
import { type AciCompression, compressAci } from './compress-aci.ts';
import { type ConvertedImage, type ConvertImageOptions, convertImage } from './convert-image.ts';
import { type OpenLayers, openLayers } from './layers-of-image.ts';
import { directoryRepository } from './repository/directory-repository.ts';

/** For conversions without a store. */
export interface ConvertWithFilesOptions extends Omit<ConvertImageOptions, 'repository'> {
  /** Keeps the layers here for the next conversion. @default a temporary directory that is removed at the end */
  readonly dir?: string;
  /** Where the temporary directory is made, if there is no `dir`. @default the system's */
  readonly tmpDir?: string;
  /** Called before the first byte. */
  readonly onConverted?: (image: ConvertedImage) => void;
}

export interface ConvertToAciOptions extends ConvertWithFilesOptions {
  /** @default 'none' */
  readonly compression?: AciCompression;
}

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
export function convertToAci(image: Image, options: ConvertToAciOptions = {}): AsyncGenerator<Uint8Array, void> {
  const { compression = 'none' } = options;
  return withLayers(image, options, (converted, { layers, read }) =>
    compressAci(read(aciSegments(mergeLayers(layers), converted.manifestBytes)), compression),
  );
}

/** Converts into files, has something made of the layers, and removes the files again. */
export async function* withLayers<T>(
  image: Image,
  options: ConvertWithFilesOptions,
  use: (converted: ConvertedImage, layers: OpenLayers) => AsyncIterable<T>,
): AsyncGenerator<T, void> {
  options.signal?.throwIfAborted();
  const directory = options.dir ?? (await mkdtemp(join(options.tmpDir ?? tmpdir(), 'docker2aci-')));
  try {
    const repository = directoryRepository(directory);
    const converted = await convertImage(image, { ...options, repository });
    options.onConverted?.(converted);
    await using layers = await openLayers(converted, repository, options);
    yield* use(converted, layers);
  } finally {
    if (options.dir === undefined) await rm(directory, { recursive: true, force: true });
  }
}
