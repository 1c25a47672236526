// SPDX-License-Identifier: Apache-2.0
import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import { ConversionError } from '../errors.ts';
import type { BlobName, Compression } from './compression.ts';

/** Takes packed bytes and gives plain ones to its sink. */
export interface Inflater {
  /** Resolves when all that could be inflated has been and `bytes` is no longer needed. One call at a time. */
  push(bytes: Uint8Array): Promise<void>;
  /** After the last byte. @throws ConversionError `TRUNCATED` */
  finish(): Promise<void>;
  /** Frees native memory; to be called whatever happened. */
  destroy(): void;
}

export interface InflaterOptions {
  readonly blob: BlobName;
  readonly maxZstdWindowLog: number;
  /** Takes each piece as it comes; what it throws ends the inflating. The piece is not kept. */
  readonly sink: (bytes: Uint8Array) => void;
}

type Engine = Gunzip | ZstdDecompress;

/** Large pieces: with 16 KiB, Node's default, the way to the thread pool and back costs more than inflating does. */
const CHUNK_BYTES = 512 * 1024;

/**
 * An inflater of gzip (any number of members), zstd (any number of frames, skippable ones too) or plain bytes. Zero bytes
 * after the last member are padding; anything else there is an error.
 *
 * @throws ConversionError (from `push` and `finish`) `COMPRESSION_CORRUPT`, `LIMIT_EXCEEDED` (zstd window), `TRUNCATED`.
 */
export function createInflater(compression: Compression, options: InflaterOptions): Inflater {
  return compression === 'none' ? passing(options) : new EngineInflater(compression, options);
}

function passing({ sink }: InflaterOptions): Inflater {
  return {
    push: async (bytes) => sink(bytes),
    finish: async () => undefined,
    destroy: () => undefined,
  };
}

class EngineInflater implements Inflater {
  readonly #compression: 'gzip' | 'zstd';
  readonly #options: InflaterOptions;
  #engine: Engine | undefined;
  #failure: Error | undefined;
  #fail: (error: Error) => void = () => undefined;
  #padding = false;

  constructor(compression: 'gzip' | 'zstd', options: InflaterOptions) {
    this.#compression = compression;
    this.#options = options;
  }

  async push(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0 && !this.#padding) {
      const engine = this.#engine ?? this.#open();
      const before = engine.bytesWritten;
      await this.#settle((done) => engine.write(rest, done));
      rest = rest.subarray(engine.bytesWritten - before);
      // What an engine leaves is beyond the end of its member or frame.
      if (rest.length > 0) {
        engine.destroy();
        this.#engine = undefined;
        this.#padding = rest[0] === 0;
      }
    }
    if (rest.some((byte) => byte !== 0)) throw this.#corrupt('there is something else after its end');
  }

  async finish(): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    await this.#settle((done) => {
      engine.once('end', done);
      engine.end();
    });
  }

  destroy(): void {
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  #open(): Engine {
    const engine =
      this.#compression === 'gzip'
        ? createGunzip({ chunkSize: CHUNK_BYTES })
        : createZstdDecompress({
            chunkSize: CHUNK_BYTES,
            params: { [constants.ZSTD_d_windowLogMax]: this.#options.maxZstdWindowLog },
          });
    engine.on('error', (error) => this.#failed(this.#describe(error)));
    // In a microtask: by then the engine inflates the next piece on a pool thread, while this thread hashes and writes.
    engine.on('data', (bytes: Uint8Array) => queueMicrotask(() => this.#give(bytes)));
    this.#engine = engine;
    return engine;
  }

  #give(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      this.#options.sink(bytes);
      release(bytes);
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #failed(error: Error): void {
    this.#failure ??= error;
    this.#engine?.destroy();
    this.#fail(this.#failure);
  }

  /** Runs one step of the engine; a failure, also one of the sink, rejects it. */
  async #settle(step: (done: () => void) => void): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      step(() => resolve());
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  #describe(error: Error): ConversionError {
    const code = 'code' in error ? String(error.code) : '';
    const { digest } = this.#options.blob;
    if (code === 'Z_BUF_ERROR') {
      const text = `layer ${digest} ends in the middle of its ${this.#compression} data`;
      return new ConversionError('ERR_RKT_DOCKER2ACI_TRUNCATED', text, { digest, cause: error });
    }
    if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
      const text = `layer ${digest} needs a zstd window larger than 2^${this.#options.maxZstdWindowLog} bytes`;
      return new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { digest, cause: error });
    }
    return this.#corrupt(error.message, error);
  }

  #corrupt(why: string, cause?: Error): ConversionError {
    const { digest } = this.#options.blob;
    const text = `layer ${digest} is not sound ${this.#compression} data: ${why}`;
    return new ConversionError('ERR_RKT_DOCKER2ACI_COMPRESSION_CORRUPT', text, { digest, cause });
  }
}

/**
 * Frees a piece's memory at once if nothing more can be written behind it: engines fill one buffer after the other, and
 * left to the collector these amount to a hundred megabytes between two collections.
 */
function release({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength > 0 && byteOffset + byteLength === buffer.byteLength)
    buffer.transfer(0);
}
