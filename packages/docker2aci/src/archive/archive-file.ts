// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { tarEnd, tarFile } from '@rkt/appc';
import type { AbortOptions } from '@rkt/registry';
import { ConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';

/** A file of an exported image: of an OCI layout directory, or of an archive. */
export interface ArchiveFile {
  /** Relative, e.g. `blobs/sha256/<hex>`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** The content, or the file that has it. */
  readonly content: Uint8Array | { readonly path: string };
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * The files as a tar archive. The same files give the same bytes: owned by root, mode 0644, at the epoch.
 *
 * @throws ConversionError `IO` for a file that cannot be read or has another size; `signal.reason`
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

async function* contentOf({ content, size }: ArchiveFile, { signal }: AbortOptions): AsyncGenerator<Uint8Array, void> {
  signal?.throwIfAborted();
  if (content instanceof Uint8Array) {
    yield content;
    return;
  }
  let read = 0;
  try {
    for await (const chunk of createReadStream(content.path, { highWaterMark: CHUNK_BYTES })) {
      signal?.throwIfAborted();
      read += chunk.length;
      if (read > size) break;
      yield chunk;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw toIoError(error, 'cannot read', content.path);
  }
  if (read === size) return;
  const text = `size mismatch for ${content.path}: expected ${size} bytes, got ${read > size ? 'more' : read}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_IO', text, { path: content.path, expected: size, actual: read });
}
