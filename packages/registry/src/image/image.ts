// SPDX-License-Identifier: Apache-2.0
import type { Digest, Reference } from '@rkt/refparse';

/** Options every asynchronous call takes. Rejects with `signal.reason` when the signal fires. */
export interface AbortOptions {
  readonly signal?: AbortSignal;
}

/** OCI image spec, "Platform Properties". */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

/** OCI image spec, "OCI Content Descriptors". `size` in bytes, 0 to 2^53-1. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

/** The `config` object of an image configuration: what to run and how. OCI image spec plus Docker's own fields. */
export interface ContainerConfig {
  readonly user?: string;
  readonly exposedPorts?: readonly string[];
  readonly env?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly volumes?: readonly string[];
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  readonly healthcheck?: unknown;
  readonly shell?: readonly string[];
  readonly onBuild?: readonly string[];
  readonly argsEscaped?: boolean;
}

/** An image configuration, checked. */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly platform: Platform;
  readonly config?: ContainerConfig;
  /** DiffIDs, base layer first; as many as the manifest has layers. */
  readonly diffIds: readonly Digest[];
  readonly history?: readonly unknown[];
}

/**
 * Bytes that are verified as they pass: the last chunk is released only after size and digest matched, so a consumer
 * that reaches the end has seen exactly the bytes the descriptor names. Disposing early cancels the transfer.
 */
export interface BlobReader extends AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly descriptor: Descriptor;
}

export interface OpenBlobOptions extends AbortOptions {
  /** Bytes received so far of this blob (compressed). Called at most ten times a second and once at the end. */
  readonly onBytes?: (received: number) => void;
  /**
   * A blob that the registry does not have may be asked for at the `urls` of its descriptor: foreign layers, which their
   * makers do not let others distribute. Whoever made the image chose these addresses.
   * @default false
   */
  readonly allowForeign?: boolean;
  /**
   * A chunk is emptied when the next one is asked for: its memory is given back then and there, so that a reader needs the same
   * few megabytes for blobs of any size, and less processor time. For consumers that are through with a chunk by then, and
   * neither keep it nor hand it to another thread.
   * @default false: chunks are the consumer's
   */
  readonly releaseChunks?: boolean;
}

/** One layer of an image, not yet read. */
export interface Layer {
  readonly descriptor: Descriptor;
  /** SHA-256 of the uncompressed tar, from the configuration; to be verified by whoever inflates the blob. */
  readonly diffId: Digest;
  /** The blob as the registry has it: compressed or not, see `descriptor.mediaType`. */
  open(options?: OpenBlobOptions): Promise<BlobReader>;
}

/** A resolved image for one platform: manifest and configuration read and verified, layers ready to be read. */
export interface Image {
  readonly reference: Reference;
  /** Of the platform's manifest (not of an index it was found in). */
  readonly descriptor: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly configDescriptor: Descriptor;
  readonly configBytes: Uint8Array;
  readonly config: ImageConfig;
  /** Base first. */
  readonly layers: readonly Layer[];
}

/** What happens while an image is opened; facts that can be written as JSON. Sizes in bytes. */
export type OpenImageEvent =
  /** It is a Docker schema 1 image: all its layers are read once before it is open. Its publisher should push it again. */
  | { readonly type: 'image:schema1'; readonly reference: string }
  /** A layer of such an image is read for its diffID. */
  | { readonly type: 'measure:start'; readonly digest: string; readonly size: number }
  /** At most ten times a second and layer. */
  | { readonly type: 'measure:bytes'; readonly digest: string; readonly received: number; readonly size: number }
  | { readonly type: 'measure:done'; readonly digest: string; readonly diffId: string };

export interface OpenImageOptions extends AbortOptions {
  /** @default the platform of this process (`linux` and `process.arch`) */
  readonly platform?: Platform;
  /**
   * What `OpenBlobOptions` says of it, for the layers.
   * @default false
   */
  readonly allowForeign?: boolean;
  readonly onProgress?: (event: OpenImageEvent) => void;
}

/** Anything images come from: a registry, an OCI layout, a `docker save` archive. */
export interface ImageSource {
  open(reference: Reference, options?: OpenImageOptions): Promise<Image>;
}
