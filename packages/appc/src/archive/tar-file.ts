// SPDX-License-Identifier: Apache-2.0
import type { EntryAttributes } from '../tree/layer-index.ts';
import { BLOCK } from '../tree/tar-fields.ts';
import { createSegmentWriter } from './segment-writer.ts';
import { writeTarHeader } from './tar-header.ts';

const ATTRIBUTES: EntryAttributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };

/** What stands around the content of a regular file in a tar archive. */
export interface TarFile {
  readonly header: Uint8Array;
  /** Zeros up to the next block. */
  readonly padding: Uint8Array;
}

/** What ends a tar archive: two blocks of zeros. */
export const tarEnd: Uint8Array = new Uint8Array(2 * BLOCK);

/**
 * Frames a regular file of `size` bytes for a tar archive that is always the same: mode 0644, owned by root, at the
 * epoch. POSIX ustar, with PAX records where the size or the name does not fit.
 */
export function tarFile(path: string, size: number): TarFile {
  const writer = createSegmentWriter();
  writeTarHeader(writer, { path, type: '0', attributes: ATTRIBUTES, size });
  const parts = writer.take().flatMap((segment) => (segment.kind === 'bytes' ? [...segment.bytes] : []));
  return { header: Uint8Array.from(parts), padding: new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK) };
}
