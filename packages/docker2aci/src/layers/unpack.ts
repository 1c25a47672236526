// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { type AppcError, createLayerIndexer, encodeLayerIndex, isAppcError, type LayerIndexer } from '@rkt/appc';
import { ConversionError, type ConversionErrorCode } from '../errors.ts';
import { DETECTION_BYTES, detectCompression } from './compression.ts';
import { createInflater, type Inflater } from './inflate.ts';
import { type LayerFile, openLayerFile } from './layer-file.ts';
import type { LayerJob, LayerSink, UnpackedLayer } from './layer-job.ts';

/**
 * Unpacks a layer in one pass: inflates, hashes, indexes and writes, on the calling thread and in turns with everything
 * else it does. Memory is a few constant buffers plus the index.
 *
 * @throws ConversionError (from `push` and `finish`) `DIFF_ID_MISMATCH`, `NOT_A_TAR`, `LAYER_INVALID`,
 * `UNSUPPORTED_COMPRESSION`, `COMPRESSION_CORRUPT`, `TRUNCATED`, `LIMIT_EXCEEDED`, `DISK_FULL`, `IO`.
 */
export function unpackLayer(job: LayerJob): LayerSink {
  return new Unpacking(job);
}

class Unpacking implements LayerSink {
  readonly #job: LayerJob;
  readonly #file: LayerFile;
  readonly #hash: Hash = createHash('sha256');
  readonly #indexer: LayerIndexer;
  readonly #maxBytes: number;
  #head: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #inflater: Inflater | undefined;
  #size = 0;
  #closed = false;

  constructor(job: LayerJob) {
    const { limits } = job;
    this.#job = job;
    this.#maxBytes = Math.min(
      limits.maxLayerBytes,
      Math.max(limits.expansionFreeBytes, limits.maxExpansion * job.size),
    );
    this.#indexer = createLayerIndexer(limits.layer);
    this.#file = openLayerFile(job.path);
  }

  async push(bytes: Uint8Array): Promise<void> {
    if (this.#inflater !== undefined) return this.#inflater.push(bytes);
    this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
    if (this.#head.length >= DETECTION_BYTES) await this.#begin().push(this.#takeHead());
    else this.#head = this.#head.slice();
  }

  async finish(): Promise<UnpackedLayer> {
    const inflater = this.#inflater ?? this.#begin();
    await inflater.push(this.#takeHead());
    await inflater.finish();
    const diffId = `sha256:${this.#hash.digest('hex')}`;
    const { digest, diffId: expected } = this.#job;
    if (diffId !== expected) {
      const text = `diffID mismatch for layer ${digest}: expected ${expected}, got ${diffId}`;
      throw new ConversionError('ERR_RKT_DOCKER2ACI_DIFF_ID_MISMATCH', text, { digest, expected, actual: diffId });
    }
    const index = this.#indexing(() => encodeLayerIndex(this.#indexer.finish()));
    inflater.destroy();
    await this.#file.settle();
    this.#close();
    return { size: this.#size, index };
  }

  abort(): void {
    this.#inflater?.destroy();
    this.#close();
  }

  #begin(): Inflater {
    const { digest, mediaType, limits } = this.#job;
    const blob = { digest, mediaType };
    const compression = detectCompression(this.#head, blob);
    const { maxZstdWindowLog } = limits;
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
    this.#indexing(() => this.#indexer.push(bytes));
    this.#file.write(bytes);
  }

  #tooLarge(): ConversionError {
    const { digest, size } = this.#job;
    const text = `layer ${digest} of ${size} bytes expands to more than the ${this.#maxBytes} bytes that are allowed`;
    return new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { digest, expected: this.#maxBytes });
  }

  #indexing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isAppcError(error)) throw error;
      const { digest } = this.#job;
      throw new ConversionError(codeOf(error), `layer ${digest} cannot be used: ${error.message}`, {
        digest,
        cause: error,
      });
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }
}

function codeOf(error: AppcError): ConversionErrorCode {
  if (error.code === 'ERR_RKT_APPC_LIMIT') return 'ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED';
  // A first block that is no header: this never was an archive.
  const noHeader = error.code === 'ERR_RKT_APPC_TAR_CHECKSUM' && error.offset === 0;
  return noHeader ? 'ERR_RKT_DOCKER2ACI_NOT_A_TAR' : 'ERR_RKT_DOCKER2ACI_LAYER_INVALID';
}
