// SPDX-License-Identifier: Apache-2.0
import { AppcError } from '../errors.ts';
import { type ByteReader, createByteReader } from './byte-reader.ts';
import type { ByteString } from './byte-string.ts';
import { type ByteWriter, createByteWriter } from './byte-writer.ts';
import { isCleanPath } from './entry-path.ts';
import type { EntryAttributes, Extent, LayerEntries, LayerEntry, LayerIndex } from './layer-index.ts';

/**
 * Format 1: `RKTLIX`, 0x00, version byte, length of the whole as 8 bytes big-endian; then variable-length numbers: tar
 * size, entry count, entries. An entry is kind, header offset less the one before, bytes of path in common with the one
 * before, rest of the path, attributes, and what its kind adds. Equal indexes give equal bytes.
 */
const MAGIC = [0x52, 0x4b, 0x54, 0x4c, 0x49, 0x58, 0x00, 0x01];
const HEADER_BYTES = MAGIC.length + 8;
const KINDS = ['file', 'directory', 'symlink', 'hardlink', 'character-device', 'block-device', 'fifo'] as const;
const MAX_ID = 0xffff_ffff;
const FIRST_BYTES = 4096;
/** Of two numbers. */
const LONGEST_COUNTS = 16;

/** The index as bytes, for {@link decodeLayerIndex}. Equal indexes give equal bytes. */
export function encodeLayerIndex(index: LayerIndex): Uint8Array {
  const encoder = createLayerIndexEncoder();
  encoder.add(index.entries);
  return encoder.finish(index.size);
}

/** Makes the bytes {@link encodeLayerIndex} makes, of entries that come piece by piece and are not kept. */
export interface LayerIndexEncoder {
  /** The next entries, in archive order. */
  add(entries: Iterable<LayerEntry>): void;
  /** To be called once. `size`: of the whole tar, in bytes. */
  finish(size: number): Uint8Array;
}

export function createLayerIndexEncoder(): LayerIndexEncoder {
  const body = createByteWriter(FIRST_BYTES);
  let count = 0;
  let previous: Pick<LayerEntry, 'path' | 'headerOffset'> = { path: '', headerOffset: 0 };
  return {
    add(entries) {
      for (const entry of entries) {
        writeEntry(body, entry, previous);
        previous = entry;
        count += 1;
      }
    },
    finish(size) {
      const head = createByteWriter(HEADER_BYTES + LONGEST_COUNTS);
      for (const byte of MAGIC) head.unsigned(byte);
      for (let at = 0; at < 8; at += 1) head.unsigned(0);
      head.unsigned(size);
      head.unsigned(count);
      const [start, entries] = [head.bytes(), body.bytes()];
      const bytes = new Uint8Array(start.length + entries.length);
      bytes.set(start);
      bytes.set(entries, start.length);
      new DataView(bytes.buffer).setBigUint64(MAGIC.length, BigInt(bytes.length));
      return bytes;
    },
  };
}

/**
 * The index that {@link encodeLayerIndex} wrote. Anything may be passed: paths, ranges and numbers are checked again.
 *
 * @throws AppcError `ERR_RKT_APPC_INDEX`: not an index, another version, cut short, or not a possible index.
 */
export function decodeLayerIndex(bytes: Uint8Array): LayerIndex {
  const { size, entries } = streamLayerIndex(bytes);
  return { size, entries: [...entries] };
}

/**
 * As {@link decodeLayerIndex}, for a look at each entry: they are decoded while they are iterated over, each time anew, and what
 * is wrong with one is only thrown then.
 */
export function streamLayerIndex(bytes: Uint8Array): LayerEntries {
  checkHeader(bytes);
  const reader = createByteReader(bytes, HEADER_BYTES);
  const size = reader.unsigned();
  const start = reader.offset;
  return { size, entries: { [Symbol.iterator]: () => readEntries(createByteReader(bytes, start), size) } };
}

function* readEntries(reader: ByteReader, size: number): Generator<LayerEntry> {
  const count = reader.unsigned();
  let previous: Pick<LayerEntry, 'path' | 'headerOffset'> = { path: '', headerOffset: -1 };
  for (let done = 0; done < count; done += 1) {
    const entry = readEntry(reader, previous, size);
    yield entry;
    previous = entry;
  }
  if (!reader.atEnd) throw broken(reader, 'has bytes after its last entry');
}

function checkHeader(bytes: Uint8Array): void {
  const named = bytes.length >= HEADER_BYTES && MAGIC.every((byte, at) => bytes[at] === byte);
  if (!named) throw new AppcError('ERR_RKT_APPC_INDEX', 'these bytes are not a layer index of version 1');
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(MAGIC.length);
  if (length !== BigInt(bytes.length)) {
    throw new AppcError('ERR_RKT_APPC_INDEX', `layer index has ${bytes.length} bytes, expected ${length}`);
  }
}

function writeEntry(writer: ByteWriter, entry: LayerEntry, previous: Pick<LayerEntry, 'path' | 'headerOffset'>): void {
  const shared = commonPrefix(entry.path, previous.path);
  writer.unsigned(KINDS.indexOf(entry.kind));
  writer.unsigned(entry.headerOffset - previous.headerOffset);
  writer.unsigned(shared);
  writer.string(entry.path.slice(shared));
  writer.unsigned(entry.mode);
  writer.unsigned(entry.uid);
  writer.unsigned(entry.gid);
  writer.signed(entry.mtime);
  writer.unsigned(entry.mtimeNanoseconds);
  writer.unsigned(entry.xattrs?.size ?? 0);
  for (const [name, value] of entry.xattrs ?? []) {
    writer.string(name);
    writer.string(value);
  }
  if (entry.kind === 'symlink' || entry.kind === 'hardlink') writer.string(entry.target);
  else if (entry.kind === 'character-device' || entry.kind === 'block-device') {
    writer.unsigned(entry.major);
    writer.unsigned(entry.minor);
  } else if (entry.kind === 'file') writeExtents(writer, entry);
}

function writeExtents(writer: ByteWriter, file: Extract<LayerEntry, { kind: 'file' }>): void {
  writer.unsigned(file.size);
  writer.unsigned(file.extents.length);
  for (const { fileOffset, tarOffset, length } of file.extents) {
    writer.unsigned(fileOffset);
    writer.unsigned(tarOffset - file.headerOffset);
    writer.unsigned(length);
  }
}

function commonPrefix(left: ByteString, right: ByteString): number {
  const limit = Math.min(left.length, right.length);
  let at = 0;
  while (at < limit && left.charCodeAt(at) === right.charCodeAt(at)) at += 1;
  return at;
}

function readEntry(
  reader: ByteReader,
  previous: Pick<LayerEntry, 'path' | 'headerOffset'>,
  tarSize: number,
): LayerEntry {
  const kind = KINDS[reader.unsigned()];
  const headerOffset = Math.max(previous.headerOffset, 0) + reader.unsigned();
  if (kind === undefined) throw broken(reader, 'has an entry of unknown kind');
  if (headerOffset <= previous.headerOffset || headerOffset > tarSize)
    throw broken(reader, 'has a header out of order');
  const shared = reader.unsigned();
  if (shared > previous.path.length) throw broken(reader, 'has a path that continues nothing');
  const path = previous.path.slice(0, shared) + reader.string();
  if (!isCleanPath(path, shared)) throw broken(reader, 'has a path that is not clean');
  const base = { path, headerOffset, ...readAttributes(reader) };
  switch (kind) {
    case 'file':
      return { ...base, kind, ...readContent(reader, headerOffset, tarSize) };
    case 'symlink':
    case 'hardlink':
      return { ...base, kind, target: readTarget(reader, kind) };
    case 'character-device':
    case 'block-device':
      return { ...base, kind, major: atMost(reader, MAX_ID), minor: atMost(reader, MAX_ID) };
    default:
      return { ...base, kind };
  }
}

function readAttributes(reader: ByteReader): EntryAttributes {
  const stated = {
    mode: atMost(reader, 0o7777),
    uid: atMost(reader, MAX_ID),
    gid: atMost(reader, MAX_ID),
    mtime: reader.signed(),
    mtimeNanoseconds: atMost(reader, 999_999_999),
  };
  const count = reader.unsigned();
  if (count === 0) return stated;
  const xattrs = new Map<ByteString, ByteString>();
  for (let done = 0; done < count; done += 1) xattrs.set(reader.string(), reader.string());
  if (xattrs.size !== count) throw broken(reader, 'names an extended attribute twice');
  return { ...stated, xattrs };
}

function readTarget(reader: ByteReader, kind: 'symlink' | 'hardlink'): ByteString {
  const target = reader.string();
  if (target === '' || target.includes('\0')) throw broken(reader, 'has a link with an impossible target');
  if (kind === 'hardlink' && !isCleanPath(target)) throw broken(reader, 'has a path that is not clean');
  return target;
}

function readContent(
  reader: ByteReader,
  headerOffset: number,
  tarSize: number,
): { size: number; extents: readonly Extent[] } {
  const size = reader.unsigned();
  const count = reader.unsigned();
  const extents: Extent[] = [];
  let fileEnd = 0;
  for (let done = 0; done < count; done += 1) {
    const fileOffset = reader.unsigned();
    const tarOffset = headerOffset + reader.unsigned();
    const length = reader.unsigned();
    if (length === 0 || fileOffset < fileEnd || length > size - fileOffset || length > tarSize - tarOffset) {
      throw broken(reader, 'has an extent outside its file or tar');
    }
    extents.push({ fileOffset, tarOffset, length });
    fileEnd = fileOffset + length;
  }
  return { size, extents };
}

function atMost(reader: ByteReader, limit: number): number {
  const value = reader.unsigned();
  if (value > limit) throw broken(reader, `has ${value} where at most ${limit} can stand`);
  return value;
}

function broken(reader: ByteReader, what: string): AppcError {
  return new AppcError('ERR_RKT_APPC_INDEX', `layer index ${what}, before offset ${reader.offset}`, {
    offset: reader.offset,
  });
}
