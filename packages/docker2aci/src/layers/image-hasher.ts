// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { type AciSegment, createAciBuilder, type ImageId, isAppcError, streamLayerIndex } from '@rkt/appc';
import { ConversionError } from '../errors.ts';
import { type OpenLayer, readLayerRange } from './read-range.ts';

/** A layer on disk, as hashing wants it. */
export interface HashedLayer {
  readonly diffId: string;
  /** The uncompressed tar, open until hashing has ended. */
  readonly file: OpenLayer;
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
  /** Top layer first. The work is done while it is iterated over: a turn for each mebibyte, in which others may run. */
  addLayer(layer: HashedLayer): Generator<void>;
  /** After the base layer. */
  finish(): HashedImage;
}

export interface ImageHasherOptions {
  readonly manifestBytes: Uint8Array;
  readonly layerCount: number;
}

const BUFFER_BYTES = 256 * 1024;

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
    *addLayer(layer) {
      const segments = translating(() => {
        const index = streamLayerIndex(layer.index);
        layerSizes.unshift(index.size);
        stream.useFile(options.layerCount - layerSizes.length, layer.file);
        return builder.addLayer({ diffId: layer.diffId, index });
      });
      const turns = stream.take(segments);
      while (translating(() => turns.next()).done !== true) yield;
    },
    finish: () =>
      translating(() => {
        for (const _turn of stream.take(builder.finish()));
        return { ...stream.digest(), layerSizes };
      }),
  };
}

/** Gathers the stream in one buffer, so that neither a header nor a small file costs a call of its own. */
class HashedStream {
  readonly #hash: Hash = createHash('sha512');
  readonly #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  readonly #files = new Map<number, OpenLayer>();
  #filled = 0;
  #size = 0;

  useFile(layer: number, file: OpenLayer): void {
    this.#files.set(layer, file);
  }

  /** Yields whenever a buffer full of content has been hashed. */
  *take(segments: Iterable<AciSegment>): Generator<void> {
    for (const segment of segments) {
      if (segment.kind === 'bytes') {
        this.#addBytes(segment.bytes);
        continue;
      }
      for (let at = 0; at < segment.length; ) {
        at += this.#addPart(segment, at);
        if (this.#filled < BUFFER_BYTES) continue;
        this.#flush();
        yield;
      }
    }
  }

  digest(): { readonly id: ImageId; readonly size: number } {
    this.#flush();
    return { id: `sha512-${this.#hash.digest('hex')}`, size: this.#size };
  }

  #addBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.#room());
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
  }

  /** As much of a range as fits, from `at` of it. @returns how much that was */
  #addPart({ layer, tarOffset, length }: AciSegment & { readonly kind: 'layer' }, at: number): number {
    const file = this.#files.get(layer);
    if (file === undefined) throw new RangeError(`layer ${layer} has not been added`);
    const part = this.#buffer.subarray(this.#filled, this.#filled + Math.min(this.#room(), length - at));
    readLayerRange(file, part, tarOffset + at);
    this.#filled += part.length;
    return part.length;
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
