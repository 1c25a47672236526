// SPDX-License-Identifier: Apache-2.0
import type { Reference } from '@rkt/refparse';
import type { AbortOptions, ImageSource, OpenImageOptions } from '@rkt/registry';
import type { ConvertibleImage } from '../convert-image.ts';

/** The images somebody put into a file or directory. */
export interface ImageArchive extends ImageSource {
  /** In the order of the archive. */
  readonly images: readonly ArchivedImage[];
  /** The image has the reference it was asked for by, whatever the archive says. */
  open(reference: Reference, options?: OpenImageOptions): Promise<ConvertibleImage>;
}

export interface OpenArchiveOptions extends AbortOptions {
  /** What messages call the archive. @default its path */
  readonly name?: string;
}

export interface ArchivedImage {
  /** What the archive calls it: references or tags, and maybe nothing. Text of the archive: quote it before printing. */
  readonly names: readonly string[];
}
