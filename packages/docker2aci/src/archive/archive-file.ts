// SPDX-License-Identifier: Apache-2.0
import { tarEnd, tarFile } from '@rkt/appc';
import type { AbortOptions } from '@rkt/registry';
import { ConversionError, quote } from '../errors.ts';
import type { ExportedLayer } from './exported-image.ts';

/** A file of an exported image: of an OCI layout directory, or of an archive. */
export interface ArchiveFile {
  /** Relative, e.g. `blobs/sha256/<hex>`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** The content, or the layer that is it. */
  readonly content: Uint8Array | ExportedLayer;
}

/**
 * The files as a tar archive. The same files give the same bytes: owned by root, mode 0644, at the epoch.
 *
 * @throws ConversionError `IO` for a layer of another size; what reading a layer throws; `signal.reason`
 */
export async function* tarOf(
  files: readonly ArchiveFile[],
  options: AbortOptions = {},
): AsyncGenerator<Uint8Array, void> {
  for (const file of files) {
    const { header, padding } = tarFile(file.name, file.size);
    yield header;
    yield* contentOf(file, options);
    yield padding;
  }
  yield tarEnd;
}

async function* contentOf(
  { name, content, size }: ArchiveFile,
  options: AbortOptions,
): AsyncGenerator<Uint8Array, void> {
  options.signal?.throwIfAborted();
  if (content instanceof Uint8Array) {
    yield content;
    return;
  }
  let read = 0;
  for await (const chunk of content.read(options)) {
    options.signal?.throwIfAborted();
    read += chunk.length;
    if (read > size) break;
    yield chunk;
  }
  if (read === size) return;
  const text = `size mismatch for ${quote(name)}: expected ${size} bytes, got ${read > size ? 'more' : read}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_IO', text, { expected: size, actual: read });
}
