// SPDX-License-Identifier: Apache-2.0
import { formatReference, type Reference } from '@rkt/refparse';
import { originAnnotations } from '../manifest/image-origin.ts';
import type { ArchiveFile } from './archive-file.ts';
import { blobName, documentFile, type ExportedImage, jsonBytes, layerFiles, sha256Digest } from './exported-image.ts';

/**
 * The files of an archive as `docker save` writes it and `docker load` reads it, with one image, under the names that are
 * given. The same image and names give the same files.
 *
 * @throws TypeError for a diffID that is none
 */
export function dockerArchiveFiles(
  image: ExportedImage,
  options: { readonly references?: readonly Reference[] } = {},
): readonly ArchiveFile[] {
  const { configBytes, layers, origin } = image;
  const { references = [] } = options;
  const configName = blobName(sha256Digest(configBytes));
  const entry = {
    Config: configName,
    RepoTags: references.map((reference) => formatReference({ ...reference, digest: undefined })),
    Layers: layers.map(({ diffId }) => blobName(diffId)),
    // Docker and others read past it.
    ...(origin === undefined ? {} : { annotations: originAnnotations(origin) }),
  };
  return [
    documentFile('manifest.json', jsonBytes([entry])),
    documentFile(configName, configBytes),
    ...layerFiles(layers),
  ];
}
