// SPDX-License-Identifier: Apache-2.0
import { formatReference, type Reference } from '@rkt/refparse';
import { originAnnotations } from '../manifest/image-origin.ts';
import type { ArchiveFile } from './archive-file.ts';
import { blobName, documentFile, type ExportedImage, jsonBytes, layerFiles, sha256Digest } from './exported-image.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';

export interface OciLayoutOptions {
  /** What the image is called in the layout: a tag, or more. */
  readonly name?: string | undefined;
  /** What it is called outside, for programs that take their names from layouts. */
  readonly reference?: Reference | undefined;
}

/**
 * The files of an OCI image layout (OCI image spec, "Image Layout") with one image, under a name if one is given. The
 * layers are the uncompressed tars. The same image and options give the same files.
 *
 * @throws TypeError for a diffID that is none
 */
export function ociLayoutFiles(image: ExportedImage, options: OciLayoutOptions = {}): readonly ArchiveFile[] {
  const { configBytes, layers, origin } = image;
  const config = { mediaType: CONFIG_TYPE, digest: sha256Digest(configBytes), size: configBytes.length };
  const manifestBytes = jsonBytes({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config,
    layers: layers.map(({ diffId, size }) => ({ mediaType: LAYER_TYPE, digest: diffId, size })),
    ...(origin === undefined ? {} : { annotations: originAnnotations(origin) }),
  });
  const digest = sha256Digest(manifestBytes);
  const entry = { mediaType: MANIFEST_TYPE, digest, size: manifestBytes.length, ...nameAnnotations(options) };
  return [
    documentFile('oci-layout', jsonBytes({ imageLayoutVersion: '1.0.0' })),
    documentFile(
      'index.json',
      jsonBytes({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [entry] }),
    ),
    documentFile(blobName(digest), manifestBytes),
    documentFile(blobName(config.digest), configBytes),
    ...layerFiles(layers),
  ];
}

/** `ref.name` is what skopeo and rkt choose images by; docker and containerd read the whole name beside it. */
function nameAnnotations({ name, reference }: OciLayoutOptions): { readonly annotations?: Record<string, string> } {
  const annotations = {
    ...(reference === undefined ? {} : { 'io.containerd.image.name': formatReference(reference) }),
    ...(name === undefined ? {} : { 'org.opencontainers.image.ref.name': name }),
  };
  return Object.keys(annotations).length === 0 ? {} : { annotations };
}
