// SPDX-License-Identifier: Apache-2.0
import type { AbortOptions, BlobReader, Layer } from '@rkt/registry';
import { type ConversionLimits, defaultConversionLimits } from '../limits.ts';
import { PlainLayerReader } from './plain-layer.ts';

export interface DiffIdOptions extends AbortOptions {
  readonly limits?: Partial<ConversionLimits>;
}

/**
 * The diffID of the layer in a blob: reads it to its end, inflates and hashes it on the calling thread and keeps nothing.
 * Images of Docker's schema 1 state none, so `imageSource` of `@rkt/registry` is handed this.
 *
 * @throws ConversionError `NOT_A_TAR`, `UNSUPPORTED_COMPRESSION`, `COMPRESSION_CORRUPT`, `TRUNCATED`, `LIMIT_EXCEEDED`;
 * what the blob throws; `signal.reason`
 */
export async function diffIdOf(blob: BlobReader, options: DiffIdOptions = {}): Promise<Layer['diffId']> {
  const { signal } = options;
  const limits = { ...defaultConversionLimits, ...options.limits };
  const reader = new PlainLayerReader(blob.descriptor, { limits, sink: () => undefined });
  try {
    for await (const bytes of blob) {
      signal?.throwIfAborted();
      await reader.push(bytes);
    }
    return (await reader.finish()).diffId;
  } finally {
    reader.destroy();
  }
}
