// SPDX-License-Identifier: Apache-2.0
import type { Digest, Reference } from '@rkt/refparse';
import { isRegistryError } from '../errors.ts';
import type { AbortOptions, BlobReader, Descriptor, OpenBlobOptions } from './image.ts';

/** Manifests and blobs by name and digest: what an image is read from. A `Registry` is one, an OCI layout can be. */
export interface ContentProvider {
  getManifest(reference: Reference, options?: AbortOptions): Promise<FetchedManifest>;
  getBlob(reference: Reference, target: Descriptor, options?: OpenBlobOptions): Promise<BlobReader>;
  /** In bytes. Asked only for Docker schema 1 images, which do not say it; without it they are refused. */
  getBlobSize?(reference: Reference, digest: Digest, options?: AbortOptions): Promise<number>;
}

/**
 * A manifest, verified against the digest if one was asked for: as it came, or without its signatures if it is a signed
 * Docker schema 1 manifest, whose digest does not cover them.
 */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** The diffID of the layer in a blob, the SHA-256 of its uncompressed tar. `@rkt/docker2aci` has one. */
export type DiffIdOf = (blob: BlobReader, options?: AbortOptions) => Promise<Digest>;

const WRONG_BYTES: ReadonlySet<string> = new Set([
  'ERR_RKT_REGISTRY_DIGEST_MISMATCH',
  'ERR_RKT_REGISTRY_SIZE_MISMATCH',
]);

/**
 * Opens a blob and reads it with `read`, once more if its bytes were wrong: nothing was handed out yet, and another host
 * is asked if there is one.
 */
export async function readBlob<T>(open: () => Promise<BlobReader>, read: (blob: BlobReader) => Promise<T>): Promise<T> {
  const attempt = async (): Promise<T> => {
    await using blob = await open();
    return await read(blob);
  };
  try {
    return await attempt();
  } catch (error) {
    if (!isRegistryError(error) || !WRONG_BYTES.has(error.code)) throw error;
    return attempt();
  }
}
