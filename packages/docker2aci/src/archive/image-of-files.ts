// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Digest, Reference } from '@rkt/refparse';
import type { Descriptor, Image, ImageConfig } from '@rkt/registry';
import { type BlobPlace, openBlobFile } from './blob-files.ts';

const LAYER_TYPE = 'application/vnd.docker.image.rootfs.diff.tar';
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json';
const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

/** A layer that stands in a file. */
export interface FileLayer {
  /** Of the bytes as they stand there. */
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Bytes. */
  readonly size: number;
  readonly place: BlobPlace;
}

export interface FileImage {
  readonly reference: Reference;
  readonly configBytes: Uint8Array;
  /** The same, read. */
  readonly config: ImageConfig;
  /** Base first. */
  readonly layers: readonly FileLayer[];
}

/** The image that a configuration and layers make, with the manifest a registry would have for these very blobs. */
export function imageOfFiles({ reference, configBytes, config, layers: files }: FileImage): Image {
  const layers = files.map(({ digest, diffId, size, place }) => {
    const descriptor: Descriptor = { mediaType: LAYER_TYPE, digest, size };
    const open: Image['layers'][number]['open'] = async (options) => openBlobFile(descriptor, place, options);
    return { descriptor, diffId, open };
  });
  const configDescriptor = describe(configBytes, CONFIG_TYPE);
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: configDescriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = describe(manifestBytes, MANIFEST_TYPE);
  return { reference, descriptor, manifestBytes, configDescriptor, configBytes, config, layers };
}

function describe(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length };
}
