// SPDX-License-Identifier: Apache-2.0
import type { AbortOptions } from '@rkt/registry';
import type { ImageOrigin } from '../manifest/image-origin.ts';

/** Images of an archive, and layers of an image of one, at most. */
export const MAX_IMAGES = 10_000;
export const MAX_LAYERS = 512;

/** An image as a `docker save` archive has it. */
export interface SavedImage {
  /** References; maybe none. */
  readonly tags: readonly string[];
  /** Where it came from, if it was exported and says so. */
  readonly origin: ImageOrigin | undefined;
  /** What it is made of. Text of the archive, checked no further. */
  read(options?: AbortOptions): Promise<SavedParts>;
}

export interface SavedParts {
  /** Of the form `parseImageConfig` takes. */
  readonly configBytes: Uint8Array;
  /** Members that are its layers, base first. */
  readonly layers: readonly string[];
}
