// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createLayerIndexer, isAppcError, type LayerEntry } from '@rkt/appc';
import type { AbortOptions } from '@rkt/registry';
import { ConversionError, quote } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import type { OpenArchiveOptions } from './image-archive.ts';

const CHUNK_BYTES = 1024 * 1024;
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const MAX_LINKS = 16;

/** An uncompressed tar whose members are read in place. */
export interface TarArchive {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  readonly entries: ReadonlyMap<string, LayerEntry>;
}

/** Where the content of a member stands. Bytes. */
export interface Member {
  readonly offset: number;
  readonly size: number;
}

/** Reads an archive through once to learn what is where. @throws ConversionError `ARCHIVE_INVALID`, `IO` */
export async function indexArchive(path: string, { signal, name = path }: OpenArchiveOptions): Promise<TarArchive> {
  signal?.throwIfAborted();
  const indexer = createLayerIndexer();
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      signal?.throwIfAborted();
      indexer.push(chunk);
    }
    return { path, name, entries: new Map(indexer.finish().entries.map((entry) => [entry.path, entry])) };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isAppcError(error)) throw toIoError(error, 'cannot read', path);
    const text = `${name} is not an archive of images: ${error.message}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', text, { path, cause: error });
  }
}

/** Finds a file, through the symbolic and hard links that archives use for layers they have twice. */
export function findMember(archive: TarArchive, path: string): Member {
  let current = path;
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    const entry = archive.entries.get(current);
    if (entry?.kind === 'symlink') current = resolveLink(current, entry.target);
    else if (entry?.kind === 'hardlink') current = entry.target;
    else if (entry?.kind === 'file' && entry.extents.length <= 1) {
      return { offset: entry.extents[0]?.tarOffset ?? 0, size: entry.size };
    } else break;
  }
  const text = `archive ${archive.name} has no file ${quote(path)}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', text, { path: archive.path });
}

/** Inside the archive: there is nothing else a link could lead to. */
function resolveLink(from: string, target: string): string {
  const components = target.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const component of target.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  return components.join('/');
}

/** @throws ConversionError `IO`; `signal.reason` */
export async function hashMember(
  archive: TarArchive,
  { offset, size }: Member,
  { signal }: AbortOptions = {},
): Promise<`sha256:${string}`> {
  const hash = createHash('sha256');
  if (size > 0) {
    const range = { start: offset, end: offset + size - 1, highWaterMark: CHUNK_BYTES };
    try {
      for await (const chunk of createReadStream(archive.path, range)) {
        signal?.throwIfAborted();
        hash.update(chunk);
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw toIoError(error, 'cannot read', archive.path);
    }
  }
  return `sha256:${hash.digest('hex')}`;
}

/** A document of an archive, at most 8 MiB. @throws ConversionError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `IO` */
export async function readMember(archive: TarArchive, name: string): Promise<Uint8Array> {
  const { offset, size } = findMember(archive, name);
  if (size > MAX_DOCUMENT_BYTES) {
    const text = `${quote(name)} in ${archive.name} has ${size} bytes, more than ${MAX_DOCUMENT_BYTES}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, {
      expected: MAX_DOCUMENT_BYTES,
      actual: size,
    });
  }
  return await readStart(archive, { offset, size }, size);
}

/** The first bytes of a member, at most as many as there are. @throws ConversionError `IO` */
export async function readStart(archive: TarArchive, { offset, size }: Member, length: number): Promise<Uint8Array> {
  try {
    await using file = await open(archive.path);
    const bytes = Buffer.alloc(Math.min(size, length));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    throw toIoError(error, 'cannot read', archive.path);
  }
}
