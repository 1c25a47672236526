// SPDX-License-Identifier: Apache-2.0
import { open, stat } from 'node:fs/promises';
import type { AbortOptions } from '@rkt/registry';
import { isConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import { DETECTION_BYTES, detectCompression } from '../layers/compression.ts';
import { openLayerFile } from '../layers/layer-file.ts';
import { type ConversionLimits, defaultConversionLimits } from '../limits.ts';
import { explained, unpackStream } from './unpack-stream.ts';

export interface UnpackArchiveOptions extends AbortOptions {
  /** What the archive is called in messages. */
  readonly name: string;
  /** An existing empty file, which is filled with the uncompressed archive. */
  readonly path: string;
  readonly limits?: Partial<ConversionLimits>;
}

/**
 * Writes an archive of images to a file, uncompressed, so that it can be read in place: one that comes through a pipe, or
 * is compressed with gzip or zstd. Memory does not depend on its size.
 *
 * @throws ConversionError `NOT_A_TAR`, `UNSUPPORTED_COMPRESSION`, `COMPRESSION_CORRUPT`, `TRUNCATED`, `LIMIT_EXCEEDED`,
 * `DISK_FULL`, `IO`; what `source` throws; `signal.reason`
 */
export async function unpackArchive(source: AsyncIterable<Uint8Array>, options: UnpackArchiveOptions): Promise<void> {
  const { signal, name, path } = options;
  signal?.throwIfAborted();
  const file = openLayerFile(path);
  // An archive may hold many images, each of as much as one may have.
  const limits = { ...defaultConversionLimits, ...options.limits };
  try {
    const unpacking = { limits: { ...limits, maxLayerBytes: limits.maxImageBytes }, sink: file.write.bind(file) };
    await unpackStream(source, { ...unpacking, ...(signal === undefined ? {} : { signal }) });
    await file.settle();
  } catch (error) {
    throw explained(error, { kind: 'archive', name });
  } finally {
    file.close();
  }
}

/**
 * Whether an archive can be read in place: a regular file that is no longer packed. What is wrong with one that is no archive
 * at all, {@link unpackArchive} says.
 *
 * @throws ConversionError `IO`
 */
export async function isReadableInPlace(path: string): Promise<boolean> {
  try {
    // What is read of a pipe to look at it is missing afterwards.
    if (!(await stat(path)).isFile()) return false;
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(DETECTION_BYTES), 0, DETECTION_BYTES, 0);
    return detectCompression(buffer.subarray(0, bytesRead), { digest: '', mediaType: '' }) === 'none';
  } catch (error) {
    if (isConversionError(error)) return false;
    throw toIoError(error, 'cannot read', path);
  }
}
