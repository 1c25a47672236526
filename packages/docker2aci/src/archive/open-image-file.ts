// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import type { AbortOptions } from '@rkt/registry';
import { toIoError } from '../io-error.ts';
import { imagesOf } from './docker-archive.ts';
import type { ImageArchive } from './image-archive.ts';
import { layoutArchive } from './layout-files.ts';
import { imagesOfLayout, openOciLayout } from './oci-layout.ts';
import { indexArchive } from './tar-archive.ts';

/**
 * The images of a file or directory whose form the caller does not know: an OCI layout, a tar of one, or what `docker save`
 * writes. Where both are in one file, as docker itself writes it since version 25, `manifest.json` counts: it has the names.
 *
 * @throws ConversionError as `openDockerArchive` and `openOciLayout` do
 */
export async function openImageFile(path: string, options: AbortOptions = {}): Promise<ImageArchive> {
  if (await isDirectory(path)) return openOciLayout(path, options);
  const archive = await indexArchive(path, options);
  const isLayout = archive.entries.has('oci-layout') && !archive.entries.has('manifest.json');
  return isLayout ? imagesOfLayout(layoutArchive(archive)) : imagesOf(archive);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw toIoError(error, 'cannot read', path);
  }
}
