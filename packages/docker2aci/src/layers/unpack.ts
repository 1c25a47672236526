// SPDX-License-Identifier: Apache-2.0
import {
  type AppcError,
  createLayerIndexEncoder,
  createLayerIndexer,
  encodeLayerIndex,
  isAppcError,
  type LayerIndexer,
} from '@rkt/appc';
import { ConversionError, type ConversionErrorCode } from '../errors.ts';
import { type LayerFile, openLayerFile } from './layer-file.ts';
import type { LayerJob, LayerSink, OnEntries, UnpackedLayer } from './layer-job.ts';
import { PlainLayerReader } from './plain-layer.ts';

/**
 * Unpacks a layer in one pass: inflates, hashes, indexes and writes, on the calling thread and in turns with everything
 * else it does. Memory is a few constant buffers plus the index.
 *
 * @throws ConversionError (from `push`, `finish` and `settle`) `DIFF_ID_MISMATCH`, `NOT_A_TAR`, `LAYER_INVALID`,
 * `UNSUPPORTED_COMPRESSION`, `COMPRESSION_CORRUPT`, `TRUNCATED`, `LIMIT_EXCEEDED`, `DISK_FULL`, `IO`.
 */
export function unpackLayer(job: LayerJob, onEntries?: OnEntries): LayerSink {
  return new Unpacking(job, onEntries);
}

/** Entries are told of, and no longer kept, for each so many bytes of tar. */
const TOLD_BYTES = 2 * 1024 * 1024;

class Unpacking implements LayerSink {
  readonly #job: LayerJob;
  readonly #file: LayerFile;
  readonly #indexer: LayerIndexer;
  readonly #index = createLayerIndexEncoder();
  readonly #reader: PlainLayerReader;
  readonly #onEntries: OnEntries | undefined;
  #written = 0;
  #told = 0;
  #closed = false;

  constructor(job: LayerJob, onEntries: OnEntries | undefined) {
    const { limits } = job;
    this.#job = job;
    this.#onEntries = onEntries;
    this.#indexer = createLayerIndexer(limits.layer);
    this.#reader = new PlainLayerReader(job, { limits, sink: (bytes) => this.#take(bytes) });
    this.#file = openLayerFile(job.path);
  }

  push(bytes: Uint8Array): Promise<void> {
    return this.#reader.push(bytes);
  }

  async finish(): Promise<UnpackedLayer> {
    const { diffId, size } = await this.#reader.finish();
    const { digest, diffId: expected } = this.#job;
    if (diffId !== expected) {
      const text = `diffID mismatch for layer ${digest}: expected ${expected}, got ${diffId}`;
      throw new ConversionError('ERR_RKT_DOCKER2ACI_DIFF_ID_MISMATCH', text, { digest, expected, actual: diffId });
    }
    const index = this.#indexing(() => this.#indexer.finish());
    this.#index.add(index.entries);
    this.#reader.destroy();
    return { size, index: this.#index.finish(index.size) };
  }

  async settle(): Promise<void> {
    await this.#file.settle();
    this.#close();
  }

  abort(): void {
    this.#reader.destroy();
    this.#close();
  }

  #take(bytes: Uint8Array): void {
    this.#indexing(() => this.#indexer.push(bytes));
    this.#file.write(bytes);
    this.#written += bytes.length;
    if (this.#written - this.#told >= TOLD_BYTES) this.#tell();
  }

  #tell(): void {
    this.#told = this.#written;
    const entries = this.#indexer.takeComplete();
    this.#index.add(entries);
    if (entries.length > 0) this.#onEntries?.(encodeLayerIndex({ size: this.#written, entries }));
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
