// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
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
/** A few kilobytes can inflate to gigabytes: others get their turn after each 8 MiB, or as many empty frames. */
const STEPS_PER_TURN = 32;
const EMPTY = new Uint8Array(0);
/** `Z_NO_FLUSH` and `ZSTD_e_continue`. */
const continuing = 0;

/**
 * Inflates on the calling thread, in turns, through one output buffer: no way to the thread pool and back for every piece, which
 * costs as much as inflating does, and no buffer for the collector to find.
 *
 * @returns undefined when this Node's zlib is not built as expected
 */
export function createDirectEngine(options: EngineOptions): Engine | undefined {
  const stream = createDecompressor(options, UNUSED_BYTES);
  const handle: unknown = Reflect.get(stream, '_handle');
  const state: unknown = Reflect.get(stream, '_writeState');
  if (isHandle(handle) && state instanceof Uint32Array) {
    const frames = options.compression === 'zstd';
    const end = frames ? constants.ZSTD_e_end : constants.Z_FINISH;
    return new DirectEngine({ handle, state, end, frames, sink: options.sink, destroy: () => stream.destroy() });
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
  /** Whether the end of a frame is only the end of a write: zstd begins the next one with the next write. */
  readonly frames: boolean;
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
    await this.#write(EMPTY, this.#parts.end);
  }

  destroy(): void {
    this.#parts.destroy();
  }

  async #write(bytes: Uint8Array, flush: number): Promise<number> {
    let used = 0;
    for (let turn = 1; ; turn++) {
      const step = this.#step(flush, bytes.subarray(used));
      used += step.used;
      // An output that is not full is all there is: the rest of the input is behind the end, unless a zstd frame follows.
      const more = step.produced === OUTPUT_BYTES || (this.#parts.frames && step.used > 0 && used < bytes.length);
      if (!more) return used;
      if (turn % STEPS_PER_TURN === 0) await setImmediate();
    }
  }

  #step(flush: number, input: Uint8Array): { readonly used: number; readonly produced: number } {
    const { handle, state, sink } = this.#parts;
    handle.writeSync(flush, input, 0, input.length, this.#output, 0, OUTPUT_BYTES);
    if (this.#failure !== undefined) throw this.#failure;
    const [outputLeft = 0, inputLeft = 0] = state;
    const produced = OUTPUT_BYTES - outputLeft;
    if (produced > 0) sink(this.#output.subarray(0, produced));
    return { used: input.length - inputLeft, produced };
  }
}
