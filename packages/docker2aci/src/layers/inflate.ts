// SPDX-License-Identifier: Apache-2.0
import { ConversionError } from '../errors.ts';
import type { BlobName, Compression } from './compression.ts';
import { createDirectEngine } from './direct-engine.ts';
import type { Engine, EngineOptions } from './engine.ts';
import { createStreamEngine } from './stream-engine.ts';

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

/**
 * An inflater of gzip (any number of members), zstd (any number of frames, skippable ones too) or plain bytes. Zero bytes
 * after the last member of gzip are padding (gzip(1) ignores them; RFC 8878 knows none); anything else is an error.
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

/** On the calling thread if this Node allows it, otherwise on the thread pool. */
function createEngine(options: EngineOptions): Engine {
  return createDirectEngine(options) ?? createStreamEngine(options);
}

class EngineInflater implements Inflater {
  readonly #compression: 'gzip' | 'zstd';
  readonly #options: InflaterOptions;
  #engine: Engine | undefined;
  #padding = false;

  constructor(compression: 'gzip' | 'zstd', options: InflaterOptions) {
    this.#compression = compression;
    this.#options = options;
  }

  async push(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0 && !this.#padding) {
      const engine = this.#engine ?? this.#open();
      rest = rest.subarray(await this.#describing(() => engine.inflate(rest)));
      // What an engine leaves is beyond the end of its member or frame.
      if (rest.length > 0) {
        engine.destroy();
        this.#engine = undefined;
        this.#padding = this.#compression === 'gzip' && rest[0] === 0;
      }
    }
    if (rest.some((byte) => byte !== 0)) throw this.#corrupt('there is something else after its end');
  }

  async finish(): Promise<void> {
    await this.#describing(async () => this.#engine?.finish());
  }

  destroy(): void {
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  #open(): Engine {
    const { maxZstdWindowLog, sink } = this.#options;
    const guarded = (bytes: Uint8Array): void => {
      try {
        sink(bytes);
      } catch (error) {
        throw new SinkFailure(error);
      }
    };
    this.#engine = createEngine({ compression: this.#compression, maxZstdWindowLog, sink: guarded });
    return this.#engine;
  }

  async #describing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof SinkFailure ? error.reason : this.#describe(error);
    }
  }

  #describe(error: unknown): ConversionError {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const { digest } = this.#options.blob;
    if (code === 'Z_BUF_ERROR') {
      const text = `layer ${digest} ends in the middle of its ${this.#compression} data`;
      return new ConversionError('ERR_RKT_DOCKER2ACI_TRUNCATED', text, { digest, cause: error });
    }
    if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
      const text = `layer ${digest} needs a zstd window larger than 2^${this.#options.maxZstdWindowLog} bytes`;
      return new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { digest, cause: error });
    }
    return this.#corrupt(error instanceof Error ? error.message : String(error), error);
  }

  #corrupt(why: string, cause?: unknown): ConversionError {
    const { digest } = this.#options.blob;
    const text = `layer ${digest} is not sound ${this.#compression} data: ${why}`;
    return new ConversionError('ERR_RKT_DOCKER2ACI_COMPRESSION_CORRUPT', text, { digest, cause });
  }
}

/** Tells what the sink threw from what the compression library says. */
class SinkFailure extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('the sink failed');
    this.reason = reason;
  }
}
