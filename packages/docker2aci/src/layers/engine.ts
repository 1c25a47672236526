// SPDX-License-Identifier: Apache-2.0
import { constants, createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';

/** Inflates a gzip stream, members included that follow each other, or zstd frames. */
export interface Engine {
  /**
   * Gives all that comes out of `bytes` to the sink. One call at a time; `bytes` is no longer needed afterwards.
   *
   * @returns how many bytes were used; those that were not are behind the end of the gzip stream, or of a zstd frame
   * @throws the error of the compression library, with its `code`; what the sink throws
   */
  inflate(bytes: Uint8Array): Promise<number>;
  /** After the last byte. @throws an error with code `Z_BUF_ERROR` in the middle of a stream or frame */
  finish(): Promise<void>;
  /** Frees native memory. Idempotent. */
  destroy(): void;
}

export interface EngineOptions {
  readonly compression: 'gzip' | 'zstd';
  readonly maxZstdWindowLog: number;
  /** Takes each piece as it comes and does not keep it. */
  readonly sink: (bytes: Uint8Array) => void;
}

/** What inflates, as Node makes it, with an output buffer of `chunkSize` bytes. */
export function createDecompressor(options: EngineOptions, chunkSize: number): Gunzip | ZstdDecompress {
  if (options.compression === 'gzip') return createGunzip({ chunkSize });
  const params = { [constants.ZSTD_d_windowLogMax]: options.maxZstdWindowLog };
  return createZstdDecompress({ chunkSize, params });
}
