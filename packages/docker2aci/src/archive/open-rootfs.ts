// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { formatReference, type Reference } from '@rkt/refparse';
import { type AbortOptions, hostPlatform, type Image, type Platform, parseImageConfig } from '@rkt/registry';
import { toIoError } from '../io-error.ts';
import { fileReference } from './choose-image.ts';
import { imageOfFiles } from './image-of-files.ts';

export interface OpenRootfsOptions extends AbortOptions {
  /** What messages call the file. @default its path */
  readonly name?: string;
  /** What the image is called. @default after the file: `localhost/FILE:latest` */
  readonly reference?: Reference | undefined;
  /** What its files are for. @default this process's */
  readonly platform?: Platform | undefined;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * An image of one layer, which is an uncompressed tar of files alone, as `docker export` writes it and `docker import` and
 * `podman import` read it. Its configuration says nothing but what platform it is for. The same file and options give the
 * same image.
 *
 * The tar is read through once for its digest; what is in it is checked when the image is converted, as that of any layer.
 *
 * @throws ConversionError `IO`; `signal.reason`
 */
export async function openRootfs(path: string, options: OpenRootfsOptions = {}): Promise<Image> {
  const { name = path, platform = hostPlatform(), signal } = options;
  const reference = options.reference ?? fileReference(name, 'latest');
  const { digest, size } = await hashFile(path, signal === undefined ? {} : { signal });
  const { os, architecture, variant } = platform;
  const document = {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    rootfs: { type: 'layers', diff_ids: [digest] },
  };
  const configBytes = Buffer.from(JSON.stringify(document));
  const config = parseImageConfig(configBytes, { reference: formatReference(reference), layerCount: 1, platform });
  return imageOfFiles({ reference, configBytes, config, layers: [{ digest, diffId: digest, size, place: { path } }] });
}

async function hashFile(
  path: string,
  { signal }: AbortOptions,
): Promise<{ readonly digest: `sha256:${string}`; readonly size: number }> {
  signal?.throwIfAborted();
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      signal?.throwIfAborted();
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw toIoError(error, 'cannot read', path);
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
