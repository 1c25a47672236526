// SPDX-License-Identifier: Apache-2.0
import type { Gunzip, ZstdDecompress } from 'node:zlib';
import { createDecompressor, type Engine, type EngineOptions } from './engine.ts';

/** Large pieces: with 16 KiB, Node's default, the way to the thread pool and back costs more than inflating does. */
const CHUNK_BYTES = 512 * 1024;

/** Inflates on the thread pool, by the public interface of `node:zlib`. */
export function createStreamEngine(options: EngineOptions): Engine {
  return new StreamEngine(options);
}

class StreamEngine implements Engine {
  readonly #stream: Gunzip | ZstdDecompress;
  readonly #sink: (bytes: Uint8Array) => void;
  #failure: Error | undefined;
  #fail: (error: Error) => void = () => undefined;

  constructor(options: EngineOptions) {
    this.#sink = options.sink;
    this.#stream = createDecompressor(options, CHUNK_BYTES);
    this.#stream.on('error', (error) => this.#failed(error));
    // In a microtask: by then the next piece is inflated on a pool thread, while this thread hashes and writes.
    this.#stream.on('data', (bytes: Uint8Array) => queueMicrotask(() => this.#give(bytes)));
  }

  async inflate(bytes: Uint8Array): Promise<number> {
    const before = this.#stream.bytesWritten;
    await this.#settle((done) => this.#stream.write(bytes, done));
    return this.#stream.bytesWritten - before;
  }

  async finish(): Promise<void> {
    await this.#settle((done) => {
      this.#stream.once('end', done);
      this.#stream.end();
    });
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #give(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      this.#sink(bytes);
      release(bytes);
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #failed(error: Error): void {
    this.#failure ??= error;
    this.#stream.destroy();
    this.#fail(this.#failure);
  }

  /** Runs one step of the stream; a failure, also one of the sink, rejects it. */
  async #settle(step: (done: () => void) => void): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      step(() => resolve());
    });
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/**
 * Frees a piece's memory at once if nothing more can be written behind it: a stream fills one buffer after the other, and
 * left to the collector these amount to a hundred megabytes between two collections.
 */
function release({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength > 0 && byteOffset + byteLength === buffer.byteLength)
    buffer.transfer(0);
}
