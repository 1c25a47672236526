// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:zlib';
import { createDecompressor, type Engine, type EngineOptions } from './engine.ts';

/**
 * The object behind a stream of `node:zlib`. It is no public interface, but npm itself inflates every package through it
 * (minizlib); where it looks different, {@link createDirectEngine} declines.
 */
interface Handle {
  onerror: (message: string, errno: number, code: string) => void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
}

/** Small enough to stay in a core's cache on its way through hashing, indexing and writing. */
const OUTPUT_BYTES = 256 * 1024;
/** The stream's own buffer, which is not used: the least that Node allows. */
const UNUSED_BYTES = 64;
const EMPTY = new Uint8Array(0);
/** `Z_NO_FLUSH` and `ZSTD_e_continue`. */
const continuing = 0;

/**
 * Inflates on the calling thread, through one output buffer: no way to the thread pool and back for every piece, which
 * costs as much as inflating does, and no buffer for the collector to find.
 *
 * @returns undefined when this Node's zlib is not built as expected
 */
export function createDirectEngine(options: EngineOptions): Engine | undefined {
  const stream = createDecompressor(options, UNUSED_BYTES);
  const handle: unknown = Reflect.get(stream, '_handle');
  const state: unknown = Reflect.get(stream, '_writeState');
  if (isHandle(handle) && state instanceof Uint32Array) {
    const end = options.compression === 'gzip' ? constants.Z_FINISH : constants.ZSTD_e_end;
    return new DirectEngine({ handle, state, end, sink: options.sink, destroy: () => stream.destroy() });
  }
  stream.destroy();
  return undefined;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'writeSync' in value && typeof value.writeSync === 'function';
}

interface Parts {
  readonly handle: Handle;
  /** Bytes left of the output and of the input after a write. */
  readonly state: Uint32Array;
  /** The flush mode that says there is no more input. */
  readonly end: number;
  readonly sink: (bytes: Uint8Array) => void;
  readonly destroy: () => void;
}

class DirectEngine implements Engine {
  readonly #parts: Parts;
  readonly #output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  #failure: Error | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.handle.onerror = (message, errno, code) => {
      this.#failure = Object.assign(new Error(message), { errno, code });
    };
  }

  async inflate(bytes: Uint8Array): Promise<number> {
    return this.#write(bytes, continuing);
  }

  async finish(): Promise<void> {
    this.#write(EMPTY, this.#parts.end);
  }

  destroy(): void {
    this.#parts.destroy();
  }

  #write(bytes: Uint8Array, flush: number): number {
    const { handle, state, sink } = this.#parts;
    for (let used = 0; ; ) {
      handle.writeSync(flush, bytes, used, bytes.length - used, this.#output, 0, OUTPUT_BYTES);
      if (this.#failure !== undefined) throw this.#failure;
      const [outputLeft = 0, inputLeft = 0] = state;
      used = bytes.length - inputLeft;
      if (outputLeft < OUTPUT_BYTES) sink(this.#output.subarray(0, OUTPUT_BYTES - outputLeft));
      // A buffer that is not full is all there is: the rest of the input, if any, is behind the end.
      if (outputLeft > 0) return used;
    }
  }
}
