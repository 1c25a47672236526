// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { ConversionError } from '../errors.ts';
import type { ConversionLimits } from '../limits.ts';
import { DETECTION_BYTES, detectCompression } from './compression.ts';
import { createInflater, type Inflater } from './inflate.ts';

/** A blob that holds a layer. */
export interface LayerBlob {
  readonly digest: string;
  readonly mediaType: string;
  /** In bytes. */
  readonly size: number;
}

/** What an uncompressed layer turned out to be. */
export interface PlainLayer {
  /** SHA-256 of the tar. */
  readonly diffId: `sha256:${string}`;
  /** Of the tar, in bytes. */
  readonly size: number;
}

export interface PlainLayerOptions {
  readonly limits: ConversionLimits;
  /** Takes each piece of the tar as it comes; what it throws ends the work. The piece is not kept. */
  readonly sink: (bytes: Uint8Array) => void;
}

/**
 * Makes the tar of a blob, whatever it is packed with, hashes it and keeps it within the limits. Memory is a few constant
 * buffers.
 *
 * @throws ConversionError (from `push` and `finish`) `NOT_A_TAR`, `UNSUPPORTED_COMPRESSION`, `COMPRESSION_CORRUPT`,
 * `TRUNCATED`, `LIMIT_EXCEEDED`
 */
export class PlainLayerReader {
  readonly #blob: LayerBlob;
  readonly #options: PlainLayerOptions;
  readonly #hash = createHash('sha256');
  readonly #maxBytes: number;
  #head: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #inflater: Inflater | undefined;
  #size = 0;

  constructor(blob: LayerBlob, options: PlainLayerOptions) {
    const { maxLayerBytes, expansionFreeBytes, maxExpansion } = options.limits;
    this.#blob = blob;
    this.#options = options;
    this.#maxBytes = Math.min(maxLayerBytes, Math.max(expansionFreeBytes, maxExpansion * blob.size));
  }

  /** Resolves when more may be given; `bytes` may then be used again. One call at a time. */
  async push(bytes: Uint8Array): Promise<void> {
    if (this.#inflater !== undefined) return this.#inflater.push(bytes);
    // Copied, as `bytes` is not ours for longer than this call; `slice` of a Buffer would not copy.
    this.#head = Buffer.concat([this.#head, bytes]);
    if (this.#head.length >= DETECTION_BYTES) await this.#begin().push(this.#takeHead());
  }

  /** After the last byte, once. */
  async finish(): Promise<PlainLayer> {
    const inflater = this.#inflater ?? this.#begin();
    await inflater.push(this.#takeHead());
    await inflater.finish();
    return { diffId: `sha256:${this.#hash.digest('hex')}`, size: this.#size };
  }

  /** Frees native memory; to be called whatever happened. */
  destroy(): void {
    this.#inflater?.destroy();
  }

  #begin(): Inflater {
    const { digest, mediaType } = this.#blob;
    const blob = { digest, mediaType };
    const compression = detectCompression(this.#head, blob);
    const { maxZstdWindowLog } = this.#options.limits;
    this.#inflater = createInflater(compression, { blob, maxZstdWindowLog, sink: (bytes) => this.#take(bytes) });
    return this.#inflater;
  }

  #takeHead(): Uint8Array {
    const head = this.#head;
    this.#head = new Uint8Array(0);
    return head;
  }

  #take(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > this.#maxBytes) throw this.#tooLarge();
    this.#hash.update(bytes);
    this.#options.sink(bytes);
  }

  #tooLarge(): ConversionError {
    const { digest, size } = this.#blob;
    const text = `layer ${digest} of ${size} bytes expands to more than the ${this.#maxBytes} bytes that are allowed`;
    return new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { digest, expected: this.#maxBytes });
  }
}
