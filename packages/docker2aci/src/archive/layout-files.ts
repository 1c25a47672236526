// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { ConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import type { BlobPlace } from './blob-files.ts';
import { findMember, readMember, type TarArchive } from './tar-archive.ts';

/** The files of an OCI image layout: a directory, or a tar of one. */
export interface LayoutFiles {
  /** What messages call it. */
  readonly path: string;
  /** A document. @throws ConversionError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `IO` */
  read(name: string): Promise<Uint8Array>;
  /** Where a blob is. @throws ConversionError `ARCHIVE_INVALID` */
  blob(digest: string): BlobPlace;
}

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

export function layoutDirectory(path: string): LayoutFiles {
  return {
    path,
    read: (name) => readDocument(join(path, name), path),
    blob: (digest) => ({ path: join(path, blobPath(digest)) }),
  };
}

export function layoutArchive(archive: TarArchive): LayoutFiles {
  return {
    path: archive.name,
    read: (name) => readMember(archive, name),
    blob: (digest) => ({ path: archive.path, offset: findMember(archive, blobPath(digest)).offset }),
  };
}

/** The digest's grammar admits nothing but hex digits after the colon. */
export function blobPath(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `blobs/${algorithm}/${hex}`;
}

/** Of a layout somebody else unpacked: what it has under a name may be a device that never ends, or a pipe nobody fills. */
async function readDocument(path: string, layout: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw invalid(`${path} is not a regular file`, path);
    const bytes = Buffer.alloc(MAX_DOCUMENT_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length));
    }
    if (length <= MAX_DOCUMENT_BYTES) return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof ConversionError) throw error;
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      throw invalid(`${layout} is not an OCI image layout, or not all of one: there is no ${path}`, path, error);
    }
    throw toIoError(error, 'cannot read', path);
  }
  const text = `${path} is larger than ${MAX_DOCUMENT_BYTES} bytes`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { path, expected: MAX_DOCUMENT_BYTES });
}

function invalid(text: string, path: string, cause?: unknown): ConversionError {
  return new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', text, { path, cause });
}
