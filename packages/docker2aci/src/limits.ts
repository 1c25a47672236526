// SPDX-License-Identifier: Apache-2.0
import { type LayerLimits, maxTarBytes } from '@rkt/appc';

/** What one image may cost. Anything beyond is refused with `ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED`. */
export interface ConversionLimits {
  /** Bytes of one uncompressed layer, or ACI. @default 34_359_738_368 (32 GiB): one may hold a file of 16 GiB */
  readonly maxLayerBytes: number;
  /** How many times larger than its blob a layer may be. @default 1000 */
  readonly maxExpansion: number;
  /** Uncompressed bytes up to which `maxExpansion` is not looked at. @default 67_108_864 (64 MiB) */
  readonly expansionFreeBytes: number;
  /** Base-2 logarithm of the largest zstd window, which is memory per layer. @default 27 (128 MiB), zstd's own */
  readonly maxZstdWindowLog: number;
  /** Bytes of the uncompressed ACI, holes of sparse files included. @default 137_438_953_472 (128 GiB) */
  readonly maxImageBytes: number;
  /** Bytes of the indexes of all layers, each counted as often as the image has it. @default 268_435_456 (256 MiB) */
  readonly maxIndexBytes: number;
  /** Layers of one image. @default 512 */
  readonly maxLayers: number;
  /** What the entries of one layer may cost; see `@rkt/appc`. */
  readonly layer: Partial<LayerLimits>;
}

export const defaultConversionLimits: ConversionLimits = {
  maxLayerBytes: maxTarBytes,
  maxExpansion: 1000,
  expansionFreeBytes: 64 * 1024 ** 2,
  maxZstdWindowLog: 27,
  maxImageBytes: 128 * 1024 ** 3,
  maxIndexBytes: 256 * 1024 ** 2,
  maxLayers: 512,
  layer: {},
};
