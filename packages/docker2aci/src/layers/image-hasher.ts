// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import {
  type AciBuilder,
  type AciForesight,
  type AciSegment,
  createAciBuilder,
  decodeLayerIndex,
  type ImageId,
  isAppcError,
  streamLayerIndex,
} from '@rkt/appc';
import { ConversionError } from '../errors.ts';
import { createLayerWindow, type ReadableLayer } from './layer-window.ts';
import type { OpenLayer } from './read-range.ts';

/** A layer on disk, as hashing wants it. */
export interface HashedLayer {
  readonly diffId: string;
  /** The uncompressed tar, open until hashing has ended. */
  readonly file: OpenLayer;
  readonly index: Uint8Array;
}

/** Some entries of a layer that is still being unpacked. */
export interface LayerPart {
  /** Has the content of these entries by now; the same for all parts, and for the layer itself when it is whole. */
  readonly file: OpenLayer;
  /** An index of just these entries: those that follow the ones of the part before. */
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
  /**
   * Hashes ahead: part of the layer that will be added next, in the same way. What turns out not to be in the image after all
   * is taken back when the layer is added, as is everything of a file that is not the layer's own.
   */
  foresee(part: LayerPart): Generator<void>;
  /** After the base layer. */
  finish(): HashedImage;
}

export interface ImageHasherOptions {
  readonly manifestBytes: Uint8Array;
  readonly layerCount: number;
  readonly maxBytes: number;
  /** A state to go back to is kept for each so many bytes hashed ahead. @default 8 MiB */
  readonly markBytes?: number;
}

const BUFFER_BYTES = 256 * 1024;
const MARK_BYTES = 8 * 1024 * 1024;
/**
 * The entries of an index so large take some 5 MB, or more where paths share long beginnings, as the builder's tree does anyway.
 * Those of a larger one are made twice.
 */
const KEPT_INDEX_BYTES = 512 * 1024;

/**
 * Hashes the ACI stream of an image without making it: headers come from the builder, content from the layer tars.
 *
 * @throws ConversionError `IMAGE_INVALID` (layers that do not fit each other), `LIMIT_EXCEEDED`, `IO`
 */
export function createImageHasher(options: ImageHasherOptions): ImageHasher {
  return new Hasher(options);
}

/** What has been hashed of the next layer. */
interface Ahead {
  readonly file: OpenLayer;
  readonly foresight: AciForesight;
  /** Before the layer, then at each mark of the foresight. */
  readonly states: StreamState[];
  /** Nothing more of the layer can be hashed before it is whole. */
  ended: boolean;
}

class Hasher implements ImageHasher {
  readonly #builder: AciBuilder;
  readonly #stream: HashedStream;
  readonly #layerCount: number;
  readonly #markBytes: number;
  readonly #layerSizes: number[] = [];
  #ahead: Ahead | undefined;

  constructor(options: ImageHasherOptions) {
    this.#builder = createAciBuilder(options);
    this.#stream = new HashedStream(options.maxBytes);
    this.#layerCount = options.layerCount;
    this.#markBytes = options.markBytes ?? MARK_BYTES;
  }

  *addLayer(layer: HashedLayer): Generator<void> {
    const segments = translating(() => this.#begin(layer));
    const turns = this.#stream.take(segments);
    while (translating(() => turns.next()).done !== true) yield;
  }

  *foresee({ file, index }: LayerPart): Generator<void> {
    const ahead = this.#aheadIn(file);
    if (ahead.ended) return;
    try {
      const { size, entries } = streamLayerIndex(index);
      this.#stream.useLayer(this.#layerCount - this.#layerSizes.length - 1, { file, size });
      yield* this.#stream.take(ahead.foresight.take(entries));
      const [last] = ahead.states.slice(-1);
      if (this.#stream.size - (last?.size ?? 0) >= this.#markBytes) this.#mark(ahead);
    } catch {
      // It may be the guess that is wrong. What is wrong with the layer shows again when it is added.
      ahead.ended = true;
    }
  }

  finish(): HashedImage {
    return translating(() => {
      for (const _turn of this.#stream.take(this.#builder.finish()));
      return { ...this.#stream.digest(), layerSizes: this.#layerSizes };
    });
  }

  #begin({ diffId, file, index }: HashedLayer): Iterable<AciSegment> {
    // The builder goes through the entries twice.
    const entries = index.length <= KEPT_INDEX_BYTES ? decodeLayerIndex(index) : streamLayerIndex(index);
    const ahead = this.#endOfAhead(file);
    this.#layerSizes.unshift(entries.size);
    this.#stream.useLayer(this.#layerCount - this.#layerSizes.length, { file, size: entries.size });
    const layer = { diffId, index: entries };
    if (ahead === undefined) return this.#builder.addLayer(layer);
    const { goodMarks, segments } = this.#builder.addForeseenLayer(layer, ahead.foresight);
    this.#restore(ahead, goodMarks);
    return segments;
  }

  #aheadIn(file: OpenLayer): Ahead {
    if (this.#ahead?.file.fd === file.fd) return this.#ahead;
    // Another attempt at the same layer: what the first one wrote may have been anything.
    if (this.#ahead !== undefined) this.#restore(this.#ahead, 0);
    this.#ahead = { file, foresight: this.#builder.foresee(), states: [this.#stream.state()], ended: false };
    return this.#ahead;
  }

  /** What was hashed ahead of the layer in this file, up to the end of it. */
  #endOfAhead(file: OpenLayer): Ahead | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead === undefined) return undefined;
    if (ahead.file.fd !== file.fd) {
      this.#restore(ahead, 0);
      return undefined;
    }
    // Too much of it may be a guess that is wrong: that shows when the layer is added.
    if (!ahead.ended && this.#stream.fits) this.#mark(ahead);
    return ahead;
  }

  #mark({ foresight, states }: Ahead): void {
    states.push(this.#stream.state());
    foresight.mark();
  }

  #restore({ states }: Ahead, marks: number): void {
    const state = states[marks];
    if (state === undefined) throw new RangeError(`there is no mark ${marks}`);
    this.#stream.restore(state);
  }
}

/** Of a stream, with nothing in its buffer. */
interface StreamState {
  readonly hash: Hash;
  /** Bytes hashed. */
  readonly size: number;
}

/** Gathers the stream in one buffer, so that neither a header nor a small file costs a call of its own. */
class HashedStream {
  readonly #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  readonly #layers = new Map<number, ReadableLayer>();
  readonly #window = createLayerWindow();
  readonly #maxBytes: number;
  #hash: Hash = createHash('sha512');
  #filled = 0;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size + this.#filled;
  }

  /** Whether it is within its limit. */
  get fits(): boolean {
    return this.size <= this.#maxBytes;
  }

  state(): StreamState {
    this.#flush();
    return { hash: this.#hash.copy(), size: this.#size };
  }

  /** Goes back to a state, once. */
  restore({ hash, size }: StreamState): void {
    this.#hash = hash;
    this.#size = size;
    this.#filled = 0;
  }

  useLayer(number: number, layer: ReadableLayer): void {
    this.#layers.set(number, layer);
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
    const source = this.#layers.get(layer);
    if (source === undefined) throw new RangeError(`layer ${layer} has not been added`);
    const part = this.#buffer.subarray(this.#filled, Math.min(BUFFER_BYTES, this.#filled + length - at));
    this.#window.read(source, part, tarOffset + at);
    this.#filled += part.length;
    return part.length;
  }

  #flush(): void {
    this.#hash.update(this.#buffer.subarray(0, this.#filled));
    this.#size += this.#filled;
    this.#filled = 0;
    if (!this.fits) throw tooLarge(this.#maxBytes);
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
