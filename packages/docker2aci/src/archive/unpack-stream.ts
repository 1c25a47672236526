// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { type AppcError, isAppcError } from '@rkt/appc';
import type { AbortOptions } from '@rkt/registry';
import { ConversionError, type ConversionErrorCode, isConversionError, quote } from '../errors.ts';
import { DETECTION_BYTES, detectCompression } from '../layers/compression.ts';
import { createInflater, type Inflater } from '../layers/inflate.ts';
import type { ConversionLimits } from '../limits.ts';

export interface UnpackStreamOptions extends AbortOptions {
  readonly limits: ConversionLimits;
  /** Takes each piece of what is inside; it is not kept. */
  readonly sink: (bytes: Uint8Array) => void;
}

/**
 * Gives what is in a stream to a sink: plain, or compressed with gzip or zstd, which is told by its content. Resolves to its
 * size in bytes.
 *
 * @throws ConversionError `NOT_A_TAR`, `UNSUPPORTED_COMPRESSION`, `COMPRESSION_CORRUPT`, `TRUNCATED`, `LIMIT_EXCEEDED` in the
 * words of layers: see {@link explained}
 */
export async function unpackStream(
  source: AsyncIterable<Uint8Array>,
  { limits, signal, sink }: UnpackStreamOptions,
): Promise<number> {
  const unpacking = new Unpacking(limits, sink);
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      await unpacking.push(chunk);
      await setImmediate();
    }
    return await unpacking.finish();
  } finally {
    unpacking.close();
  }
}

class Unpacking {
  readonly #limits: ConversionLimits;
  readonly #sink: (bytes: Uint8Array) => void;
  #head: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #inflater: Inflater | undefined;
  #received = 0;
  #size = 0;

  constructor(limits: ConversionLimits, sink: (bytes: Uint8Array) => void) {
    this.#limits = limits;
    this.#sink = sink;
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#received += bytes.length;
    if (this.#inflater !== undefined) return this.#inflater.push(bytes);
    this.#head = Buffer.concat([this.#head, bytes]);
    if (this.#head.length >= DETECTION_BYTES) await this.#begin();
  }

  async finish(): Promise<number> {
    if (this.#inflater === undefined) await this.#begin();
    await this.#inflater?.finish();
    return this.#size;
  }

  close(): void {
    this.#inflater?.destroy();
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
    this.#sink(bytes);
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

/** What is read when something fails. */
export interface Subject {
  /** `ACI`, `archive` */
  readonly kind: string;
  readonly name: string;
}

/** The parts speak of layers, as nearly everything they read is one: here another thing is what is meant. */
export function explained(error: unknown, { kind, name }: Subject): unknown {
  if (isAppcError(error)) {
    return new ConversionError(codeOf(error), `cannot use ${kind} ${quote(name)}: ${error.message}`, { cause: error });
  }
  if (!isConversionError(error)) return error;
  const why = WHY[error.code];
  if (why === undefined) return error;
  const { expected, actual } = error;
  return new ConversionError(error.code, `cannot use ${kind} ${quote(name)}: ${why(error)}`, {
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
