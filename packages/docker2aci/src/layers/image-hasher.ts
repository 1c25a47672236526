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
  /** Top layer first. The work is done while it is iterated over, in turns of some 256 KiB. */
  addLayer(layer: HashedLayer): Generator<void>;
  /** After the base layer. */
  finish(): HashedImage;
}

export interface ImageHasherOptions {
  readonly manifestBytes: Uint8Array;
  readonly layerCount: number;
  readonly maxBytes: number;
}

const BUFFER_BYTES = 256 * 1024;

/**
 * Hashes the ACI stream of an image without making it: headers come from the builder, content from the layer tars.
 *
 * @throws ConversionError `IMAGE_INVALID` (layers that do not fit each other), `LIMIT_EXCEEDED`, `IO`
 */
export function createImageHasher(options: ImageHasherOptions): ImageHasher {
  const builder = createAciBuilder(options);
  const stream = new HashedStream(options.maxBytes);
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
  readonly #maxBytes: number;
  #filled = 0;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  useFile(layer: number, file: OpenLayer): void {
    this.#files.set(layer, file);
  }

  /** Yields whenever a buffer full has been hashed, be it content, headers or the zeros of a hole. */
  *take(segments: Iterable<AciSegment>): Generator<void> {
    for (const segment of segments) {
      const length = segment.kind === 'bytes' ? segment.bytes.length : segment.length;
      for (let at = 0; at < length; ) {
        at += segment.kind === 'bytes' ? this.#addBytes(segment.bytes, at) : this.#addContent(segment, at);
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

  /** As much as fits, from `at` on. @returns how much that was */
  #addBytes(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + BUFFER_BYTES - this.#filled);
    this.#buffer.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }

  #addContent({ layer, tarOffset, length }: AciSegment & { readonly kind: 'layer' }, at: number): number {
    const file = this.#files.get(layer);
    if (file === undefined) throw new RangeError(`layer ${layer} has not been added`);
    const part = this.#buffer.subarray(this.#filled, Math.min(BUFFER_BYTES, this.#filled + length - at));
    readLayerRange(file, part, tarOffset + at);
    this.#filled += part.length;
    return part.length;
  }

  #flush(): void {
    this.#hash.update(this.#buffer.subarray(0, this.#filled));
    this.#size += this.#filled;
    this.#filled = 0;
    if (this.#size > this.#maxBytes) throw tooLarge(this.#maxBytes);
  }
}

function tooLarge(expected: number): ConversionError {
  const text = `image has more than ${expected} bytes when its layers are put together`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { expected });
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
