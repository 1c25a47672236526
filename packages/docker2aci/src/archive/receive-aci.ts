// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import {
  type AppcError,
  aciLayerLimits,
  createLayerIndexer,
  encodeLayerIndex,
  type ImageId,
  type ImageManifest,
  isAppcError,
  type LayerIndex,
  mergeLayers,
  parseImageManifest,
  type StackableLayer,
  splitAciIndex,
  stackAcis,
} from '@rkt/appc';
import type { AbortOptions } from '@rkt/registry';
import { ConversionError, type ConversionErrorCode, isConversionError, quote } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import { DETECTION_BYTES, detectCompression } from '../layers/compression.ts';
import { createInflater, type Inflater } from '../layers/inflate.ts';
import { openLayerFile } from '../layers/layer-file.ts';
import { type ConversionLimits, defaultConversionLimits } from '../limits.ts';

export interface ReceiveAciOptions extends AbortOptions {
  /** What the archive is called in messages. */
  readonly name: string;
  /** An existing empty file, which is filled with the uncompressed archive. */
  readonly path: string;
  readonly limits?: Partial<ConversionLimits>;
}

/** An ACI that has been read to its end and holds what it should. */
export interface ReceivedAci {
  /** SHA-512 of the uncompressed archive, byte for byte as it came. */
  readonly id: ImageId;
  /** SHA-256 of the same. */
  readonly diffId: string;
  /** Bytes of the uncompressed archive. */
  readonly size: number;
  /** Encoded index of the whole archive. */
  readonly index: Uint8Array;
  readonly manifest: ImageManifest;
  /** The manifest as the archive has it. */
  readonly manifestBytes: Uint8Array;
}

const LARGEST_MANIFEST_BYTES = 4 * 1024 * 1024;

/**
 * Reads an ACI (appc spec 0.8.11, "App Container Image"), whoever made it: plain, or compressed with gzip or zstd, which
 * is told by its content. Layout, manifest and file tree are checked; where there are dependencies, the tree is whoever
 * knows those to check.
 *
 * @throws ConversionError `ACI_INVALID`, `NOT_A_TAR`, `UNSUPPORTED_COMPRESSION`, `COMPRESSION_CORRUPT`, `TRUNCATED`,
 * `LIMIT_EXCEEDED`, `DISK_FULL`, `IO`; what `source` throws; `signal.reason`
 */
export async function receiveAci(source: AsyncIterable<Uint8Array>, options: ReceiveAciOptions): Promise<ReceivedAci> {
  options.signal?.throwIfAborted();
  const receiving = new Receiving(options);
  try {
    for await (const chunk of source) {
      options.signal?.throwIfAborted();
      await receiving.push(chunk);
      await setImmediate();
    }
    return await receiving.finish();
  } catch (error) {
    throw described(error, options.name);
  } finally {
    receiving.close();
  }
}

class Receiving {
  readonly #path: string;
  readonly #limits: ConversionLimits;
  readonly #file;
  readonly #id = createHash('sha512');
  readonly #digest = createHash('sha256');
  readonly #indexer;
  #head: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #inflater: Inflater | undefined;
  #received = 0;
  #size = 0;

  constructor({ path, limits }: ReceiveAciOptions) {
    this.#path = path;
    this.#limits = { ...defaultConversionLimits, ...limits };
    this.#indexer = createLayerIndexer({ ...aciLayerLimits, ...this.#limits.layer });
    this.#file = openLayerFile(path);
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#received += bytes.length;
    if (this.#inflater !== undefined) return this.#inflater.push(bytes);
    this.#head = Buffer.concat([this.#head, bytes]);
    if (this.#head.length >= DETECTION_BYTES) await this.#begin();
  }

  async finish(): Promise<ReceivedAci> {
    if (this.#inflater === undefined) await this.#begin();
    await this.#inflater?.finish();
    await this.#file.settle();
    const index = this.#indexer.finish();
    const manifestBytes = await this.#readManifest(index);
    const manifest = parseImageManifest(manifestBytes);
    const diffId = `sha256:${this.#digest.digest('hex')}`;
    checkTree(manifest, { diffId, index });
    const id: ImageId = `sha512-${this.#id.digest('hex')}`;
    return { id, diffId, size: this.#size, index: encodeLayerIndex(index), manifest, manifestBytes };
  }

  close(): void {
    this.#inflater?.destroy();
    this.#file.close();
  }

  async #begin(): Promise<void> {
    const blob = { digest: '', mediaType: '' };
    const { maxZstdWindowLog } = this.#limits;
    const compression = detectCompression(this.#head, blob);
    this.#inflater = createInflater(compression, { blob, maxZstdWindowLog, sink: (bytes) => this.#take(bytes) });
    await this.#inflater.push(this.#head);
    this.#head = new Uint8Array(0);
  }

  #take(bytes: Uint8Array): void {
    this.#size += bytes.length;
    const { maxLayerBytes, maxExpansion, expansionFreeBytes } = this.#limits;
    const most = Math.min(maxLayerBytes, Math.max(expansionFreeBytes, maxExpansion * this.#received));
    if (this.#size > most) {
      const text = `it expands to more than the ${most} bytes that are allowed`;
      throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { expected: most });
    }
    this.#id.update(bytes);
    this.#digest.update(bytes);
    this.#indexer.push(bytes);
    this.#file.write(bytes);
  }

  async #readManifest(index: LayerIndex): Promise<Uint8Array> {
    const { size, extents } = splitAciIndex(index).manifest;
    if (size > LARGEST_MANIFEST_BYTES) {
      const text = `its manifest has ${size} bytes, more than ${LARGEST_MANIFEST_BYTES}`;
      throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { expected: LARGEST_MANIFEST_BYTES });
    }
    try {
      await using file = await open(this.#path);
      const bytes = Buffer.alloc(size);
      await file.read(bytes, 0, size, extents[0]?.tarOffset ?? 0);
      return bytes;
    } catch (error) {
      throw toIoError(error, 'cannot read', this.#path);
    }
  }
}

/**
 * With dependencies, what they are is for others to know. An image without an app may be meant as part of another: the
 * original writes such ACIs of single layers, whose hard links lead to layers below.
 */
function checkTree({ dependencies = [], pathWhitelist, app }: ImageManifest, layer: StackableLayer): void {
  if (dependencies.length > 0) return;
  try {
    mergeLayers(stackAcis([layer], [{ first: 0, position: 0, pathWhitelist }]));
  } catch (error) {
    if (app !== undefined || !isAppcError(error) || error.code !== 'ERR_RKT_APPC_HARDLINK') throw error;
  }
}

const WHY: Partial<Record<ConversionErrorCode, (error: ConversionError) => string>> = {
  ERR_RKT_DOCKER2ACI_UNSUPPORTED_COMPRESSION: ({ actual }) =>
    `it is compressed with ${actual}, expected gzip, zstd or no compression`,
  ERR_RKT_DOCKER2ACI_NOT_A_TAR: ({ actual }) =>
    `it is neither a tar nor compressed with gzip or zstd: it begins with ${actual}`,
  ERR_RKT_DOCKER2ACI_COMPRESSION_CORRUPT: ({ cause }) =>
    `its compression is damaged${cause instanceof Error ? `: ${cause.message}` : ', or something else follows it'}`,
  ERR_RKT_DOCKER2ACI_TRUNCATED: () => 'it ends in the middle of its compressed data',
  ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED: ({ message, cause }) =>
    cause === undefined ? message : 'it needs too large a zstd window',
};

/** The parts speak of layers, as nearly everything they read is one: here the archive is what is meant. */
function described(error: unknown, name: string): unknown {
  if (isAppcError(error)) {
    return new ConversionError(codeOf(error), `cannot use ACI ${quote(name)}: ${error.message}`, { cause: error });
  }
  if (!isConversionError(error)) return error;
  const why = WHY[error.code];
  if (why === undefined) return error;
  const { expected, actual } = error;
  return new ConversionError(error.code, `cannot use ACI ${quote(name)}: ${why(error)}`, {
    cause: error,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
  });
}

function codeOf({ code, offset }: AppcError): ConversionErrorCode {
  if (code === 'ERR_RKT_APPC_LIMIT') return 'ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED';
  if (code === 'ERR_RKT_APPC_TAR_TRUNCATED') return 'ERR_RKT_DOCKER2ACI_TRUNCATED';
  if (code === 'ERR_RKT_APPC_TAR_CHECKSUM' && offset === 0) return 'ERR_RKT_DOCKER2ACI_NOT_A_TAR';
  return 'ERR_RKT_DOCKER2ACI_ACI_INVALID';
}
