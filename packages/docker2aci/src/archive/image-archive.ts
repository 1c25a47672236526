// SPDX-License-Identifier: Apache-2.0
import type { Digest, Reference } from '@rkt/refparse';
import type { AbortOptions, ImageSource, OpenImageOptions } from '@rkt/registry';
import type { ConvertibleImage } from '../convert-image.ts';

/** The images somebody put into a file or directory. */
export interface ImageArchive extends ImageSource {
  /** What messages call the archive. */
  readonly name: string;
  /** In the order of the archive, each once. */
  readonly images: readonly ArchivedImage[];
  /** The image has the reference it was asked for by, whatever the archive says. */
  open(reference: Reference, options?: OpenArchivedOptions): Promise<ConvertibleImage>;
}

export interface OpenArchivedOptions extends OpenImageOptions {
  /** Which of the archive's `images` is meant, see `chooseImage`. @default the one that is called by the reference */
  readonly image?: ArchivedImage | undefined;
}

export interface OpenArchiveOptions extends AbortOptions {
  /** What messages call the archive. @default its path */
  readonly name?: string;
}

export interface ArchivedImage {
  /** What the archive calls it: references or tags, and maybe nothing. Text of the archive: quote it before printing. */
  readonly names: readonly string[];
  /** Of its manifest or index, where the archive states it: layouts do. */
  readonly digest?: Digest;
}
