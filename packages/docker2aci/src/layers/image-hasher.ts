// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { type AciSegment, createAciBuilder, decodeLayerIndex, type ImageId, isAppcError } from '@rkt/appc';
import { ConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import { readLayerRange } from './read-range.ts';

/** A layer on disk, as hashing wants it. */
export interface HashedLayer {
  readonly diffId: string;
  /** The uncompressed tar. */
  readonly path: string;
  readonly index: Uint8Array;
}

export interface HashedImage {
  readonly id: ImageId;
  /** Bytes of the uncompressed ACI. */
  readonly size: number;
  /** Sizes of the layer tars in bytes, base first. */
  readonly layerSizes: readonly number[];
}

/** Computes an image ID, layer by layer from the top down. */
export interface ImageHasher {
  /** Top layer first. */
  addLayer(layer: HashedLayer): void;
  /** After the base layer. */
  finish(): HashedImage;
  /** Closes the layer files. */
  close(): void;
}

export interface ImageHasherOptions {
  readonly manifestBytes: Uint8Array;
  readonly layerCount: number;
}

const BUFFER_BYTES = 1024 * 1024;

/**
 * Hashes the ACI stream of an image without making it: headers come from the builder, content from the layer tars.
 *
 * @throws ConversionError `IMAGE_INVALID` (layers that do not fit each other), `LIMIT_EXCEEDED`, `IO`
 */
export function createImageHasher(options: ImageHasherOptions): ImageHasher {
  const builder = createAciBuilder(options);
  const stream = new HashedStream();
  const layerSizes: number[] = [];
  return {
    addLayer: (layer) =>
      translating(() => {
        const index = decodeLayerIndex(layer.index);
        layerSizes.unshift(index.size);
        const added = builder.addLayer({ diffId: layer.diffId, index });
        stream.open(options.layerCount - layerSizes.length, layer.path);
        stream.take(added);
      }),
    finish: () =>
      translating(() => {
        stream.take(builder.finish().segments);
        return { ...stream.digest(), layerSizes };
      }),
    close: () => stream.close(),
  };
}

/** Gathers the stream in one buffer, so that neither a header nor a small file costs a call of its own. */
class HashedStream {
  readonly #hash: Hash = createHash('sha512');
  readonly #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  readonly #files = new Map<number, { readonly fd: number; readonly path: string }>();
  #filled = 0;
  #size = 0;

  open(layer: number, path: string): void {
    try {
      this.#files.set(layer, { fd: openSync(path, 'r'), path });
    } catch (error) {
      throw toIoError(error, 'cannot open', path);
    }
  }

  take(segments: Iterable<AciSegment>): void {
    for (const segment of segments) {
      if (segment.kind === 'bytes') this.#addBytes(segment.bytes);
      else this.#addRange(segment.layer, segment.tarOffset, segment.length);
    }
  }

  digest(): { readonly id: ImageId; readonly size: number } {
    this.#flush();
    return { id: `sha512-${this.#hash.digest('hex')}`, size: this.#size };
  }

  close(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  #addBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#room());
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
  }

  #addRange(layer: number, tarOffset: number, length: number): void {
    const file = this.#files.get(layer);
    if (file === undefined) throw new RangeError(`layer ${layer} has not been added`);
    for (let at = 0; at < length; ) {
      const part = this.#buffer.subarray(this.#filled, this.#filled + Math.min(this.#room(), length - at));
      readLayerRange(file, part, tarOffset + at);
      this.#filled += part.length;
      at += part.length;
    }
  }

  #room(): number {
    if (this.#filled === BUFFER_BYTES) this.#flush();
    return BUFFER_BYTES - this.#filled;
  }

  #flush(): void {
    this.#hash.update(this.#buffer.subarray(0, this.#filled));
    this.#size += this.#filled;
    this.#filled = 0;
  }
}

function translating<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isAppcError(error)) throw error;
    const limit = error.code === 'ERR_RKT_APPC_LIMIT';
    const code = limit ? 'ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED' : 'ERR_RKT_DOCKER2ACI_IMAGE_INVALID';
    throw new ConversionError(code, `layers of the image do not fit each other: ${error.message}`, { cause: error });
  }
}
