// SPDX-License-Identifier: Apache-2.0
import type { ConversionLimits } from '../limits.ts';

/** A layer to be unpacked into a file; plain data, so that it can go to another thread. */
export interface LayerJob {
  /** An existing empty file, to be filled with the uncompressed tar. */
  readonly path: string;
  /** Of the blob. */
  readonly digest: string;
  readonly mediaType: string;
  /** Of the blob, in bytes. */
  readonly size: number;
  /** What the SHA-256 of the uncompressed tar must be: `sha256:<64 hex>`. */
  readonly diffId: string;
  readonly limits: ConversionLimits;
}

export interface UnpackedLayer {
  /** Of the uncompressed tar, in bytes. */
  readonly size: number;
  /** See `encodeLayerIndex` of `@rkt/appc`. */
  readonly index: Uint8Array;
}

/**
 * Told of some entries of a layer before the layer is whole and verified, when their content is in its file: an index of just
 * them, which follow those of the call before.
 */
export type OnEntries = (index: Uint8Array) => void;

/** A layer being unpacked: takes the blob, in order. */
export interface LayerSink {
  /** Resolves when more may be given; `bytes` may then be used again. One call at a time. */
  push(bytes: Uint8Array): Promise<void>;
  /** After the last byte, once. Resolves when the layer is whole and right, though not all of it may be on the disk. */
  finish(): Promise<UnpackedLayer>;
  /** After `finish`. Resolves when nothing is being written back any more; only then is it known that nothing of it failed. */
  settle(): Promise<void>;
  /** Gives everything up; to be called if `settle` has not been reached or failed. */
  abort(): void;
}
