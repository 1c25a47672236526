// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@rkt/refparse';
import { type BlobContent, type Content, digestBytes, digestContent } from './content.ts';

/** A layer to be served as it is; `diffId` is that of the uncompressed tar. */
export interface TestLayer {
  readonly content: BlobContent;
  readonly diffId: string;
  /** @default OCI tar+gzip */
  readonly mediaType?: string;
}

export interface TestImage {
  readonly layers: readonly TestLayer[];
  /** The `config` object, with Docker's names: `Env`, `Cmd`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** @default 'amd64' */
  readonly architecture?: string;
  readonly variant?: string;
  /** @default 'oci' */
  readonly format?: 'oci' | 'docker';
}

/** Digests and sizes of an image that was put into a registry. */
export interface BuiltImage {
  readonly manifest: PlacedBlob;
  readonly mediaType: string;
  readonly config: PlacedBlob;
  readonly layers: readonly PlacedBlob[];
}

export interface PlacedBlob {
  readonly digest: Digest;
  readonly size: number;
}

const TYPES = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
} as const;

/** Puts blobs, configuration and manifest of an image into a repository. */
export async function putImage(
  content: Content,
  name: { repository: string; tag?: string },
  image: TestImage,
): Promise<BuiltImage> {
  const types = TYPES[image.format ?? 'oci'];
  const layers = await Promise.all(image.layers.map((layer) => putBlob(content, name.repository, layer.content)));
  const configBytes = encode({
    architecture: image.architecture ?? 'amd64',
    ...(image.variant === undefined ? {} : { variant: image.variant }),
    os: 'linux',
    config: image.config ?? {},
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
  });
  const config = await putBlob(content, name.repository, configBytes);
  const bytes = encode({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...config },
    layers: layers.map((layer, index) => ({ mediaType: image.layers[index]?.mediaType ?? types.layer, ...layer })),
  });
  const digest = content.putManifest(name.repository, { mediaType: types.manifest, bytes }, name.tag);
  return { manifest: { digest, size: bytes.length }, mediaType: types.manifest, config, layers };
}

/** Puts a blob under its SHA-256. */
export async function putBlob(
  content: Content,
  repository: string,
  blob: BlobContent,
  algorithm?: string,
): Promise<PlacedBlob> {
  const digest = blob instanceof Uint8Array ? digestBytes(blob, algorithm) : await digestContent(blob, algorithm);
  const { size } = await content.putBlob(repository, digest, blob);
  return { digest, size };
}

function encode(document: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
