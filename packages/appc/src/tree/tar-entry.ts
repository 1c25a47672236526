// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';
import type { ByteString } from './byte-string.ts';
import { cleanEntryPath } from './entry-path.ts';
import type { FileEntry, LayerEntry } from './layer-index.ts';
import { type LayerLimits, maxEntrySeconds } from './layer-limits.ts';
import { type PaxRecords, paxInteger, paxName, paxTime } from './pax-records.ts';
import { BLOCK, FIELDS, fieldNumber, fieldString, tarFormat } from './tar-fields.ts';

/** What the headers before an entry's own header said about it. */
export interface Extensions {
  /** Offset of the first header that belongs to the entry. */
  readonly headerOffset: number;
  readonly pax?: PaxRecords | undefined;
  /** GNU long name and long link target. */
  readonly longName?: ByteString | undefined;
  readonly longLink?: ByteString | undefined;
}

/** A header block together with what preceded it. */
export interface RawHeader {
  readonly bytes: Uint8Array;
  readonly block: number;
  /** Offset of the block in the tar. */
  readonly offset: number;
  readonly extensions: Extensions;
}

const MAX_ID = 0xffff_ffff;
const SLASH = 0x2f;
const NO_PAX: PaxRecords = { values: new Map(), sparsePairs: [] };
const XATTR_PREFIX = 'SCHILY.xattr.';

/**
 * The entry a header states; a file as if it were not sparse. Stored sizes of everything but files
 * are ignored, as GNU tar and Go ignore them: no data follows such a header.
 */
export function readEntry(header: RawHeader, limits: LayerLimits): LayerEntry {
  const { bytes, block, extensions } = header;
  const pax = extensions.pax ?? NO_PAX;
  const rawName = entryName(header, pax);
  const path = cleanEntryPath(rawName, limits.maxPathBytes);
  const base = { path, headerOffset: extensions.headerOffset, ...attributes(header, pax, limits) };
  const kind = entryKind(header, rawName);
  if (path === '' && kind !== 'directory') {
    throw new AppcError('ERR_RKT_APPC_PATH', `the root of a layer must be a directory, got a ${kind}`, {
      offset: header.offset,
    });
  }
  switch (kind) {
    case 'file':
      return { ...base, kind, ...plainContent(header) };
    case 'hardlink':
      return { ...base, kind, target: hardlinkTarget(header, path, limits) };
    case 'symlink':
      return { ...base, kind, target: linkTarget(header, path, limits) };
    case 'character-device':
    case 'block-device':
      return {
        ...base,
        kind,
        major: ranged(fieldNumber(bytes, block, FIELDS.devmajor), 'device major', header),
        minor: ranged(fieldNumber(bytes, block, FIELDS.devminor), 'device minor', header),
      };
    default:
      return { ...base, kind };
  }
}

function plainContent(header: RawHeader): Pick<FileEntry, 'size' | 'extents'> {
  const size = storedSize(header);
  if (size === 0) return { size, extents: [] };
  return { size, extents: [{ fileOffset: 0, tarOffset: header.offset + BLOCK, length: size }] };
}

/** Bytes of content after the header of a file: the PAX record if there is one, else the header's field. */
function storedSize(header: RawHeader): number {
  const { bytes, block, offset, extensions } = header;
  const recorded = extensions.pax === undefined ? undefined : paxInteger(extensions.pax, 'size', offset);
  return recorded ?? headerSize(bytes, block, offset);
}

function entryKind(header: RawHeader, rawName: ByteString): LayerEntry['kind'] {
  const type = String.fromCharCode(header.bytes[header.block + FIELDS.type.at] ?? 0);
  switch (type) {
    case '\0':
      // Before POSIX a directory was a file whose name ends with a slash.
      return rawName.charCodeAt(rawName.length - 1) === SLASH ? 'directory' : 'file';
    case '0':
    case '7':
    case 'S':
      return 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
      return 'character-device';
    case '4':
      return 'block-device';
    case '5':
      return 'directory';
    case '6':
      return 'fifo';
    default:
      throw new AppcError(
        'ERR_RKT_APPC_TAR_TYPE',
        `entry ${quoteUntrusted(rawName)} has type ${quoteUntrusted(type)}, which no container filesystem holds`,
        { offset: header.offset, path: rawName },
      );
  }
}

function entryName(header: RawHeader, pax: PaxRecords): ByteString {
  const { bytes, block, offset, extensions } = header;
  const extended = extensions.longName ?? paxName(pax, 'GNU.sparse.name', offset) ?? paxName(pax, 'path', offset);
  if (extended !== undefined) return extended;
  const name = fieldString(bytes, block, FIELDS.name);
  const prefix = namePrefix(bytes, block);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function namePrefix(bytes: Uint8Array, block: number): ByteString {
  if (bytes[block + FIELDS.prefix.at] === 0) return '';
  switch (tarFormat(bytes, block)) {
    case 'ustar':
      return fieldString(bytes, block, FIELDS.prefix);
    case 'star':
      return fieldString(bytes, block, FIELDS.starPrefix);
    case 'gnu': {
      // GNU keeps times here, but Go before 1.9 wrote ustar prefixes under GNU's magic, and images of that age exist.
      const atime = fieldNumber(bytes, block, FIELDS.gnuAtime);
      const ctime = fieldNumber(bytes, block, FIELDS.gnuCtime);
      return atime === undefined || ctime === undefined ? fieldString(bytes, block, FIELDS.prefix) : '';
    }
    default:
      return '';
  }
}

function linkTarget(header: RawHeader, path: ByteString, limits: LayerLimits): ByteString {
  const { bytes, block, offset, extensions } = header;
  const extended = extensions.longLink ?? (extensions.pax && paxName(extensions.pax, 'linkpath', offset));
  const target = extended ?? fieldString(bytes, block, FIELDS.linkname);
  if (target === '') {
    throw new AppcError('ERR_RKT_APPC_PATH', `link ${quoteUntrusted(path)} has no target`, { offset, path });
  }
  if (target.length > limits.maxPathBytes) {
    throw new AppcError(
      'ERR_RKT_APPC_LIMIT',
      `target of link ${quoteUntrusted(path)} has ${target.length} bytes, more than ${limits.maxPathBytes}`,
      { offset, path },
    );
  }
  return target;
}

function hardlinkTarget(header: RawHeader, path: ByteString, limits: LayerLimits): ByteString {
  const target = cleanEntryPath(linkTarget(header, path, limits), limits.maxPathBytes);
  if (target !== '') return target;
  throw new AppcError('ERR_RKT_APPC_HARDLINK', `${quoteUntrusted(path)} is a hard link to the root`, {
    offset: header.offset,
    path,
  });
}

function attributes(header: RawHeader, pax: PaxRecords, limits: LayerLimits) {
  const { bytes, block, offset } = header;
  const mode = fieldNumber(bytes, block, FIELDS.mode);
  if (mode === undefined || mode < 0) throw badField('mode', offset);
  const time = paxTime(pax, 'mtime', offset);
  const mtime = time?.seconds ?? fieldNumber(bytes, block, FIELDS.mtime);
  if (mtime === undefined || Math.abs(mtime) > maxEntrySeconds) throw badField('mtime', offset);
  const stated = {
    // Some writers put the file type bits of st_mode here too; the type field is what counts.
    mode: mode % 0o10000,
    uid: ranged(paxInteger(pax, 'uid', offset) ?? fieldNumber(bytes, block, FIELDS.uid), 'uid', header),
    gid: ranged(paxInteger(pax, 'gid', offset) ?? fieldNumber(bytes, block, FIELDS.gid), 'gid', header),
    mtime,
    mtimeNanoseconds: time?.nanoseconds ?? 0,
  };
  const xattrs = extendedAttributes(pax, limits, offset);
  return xattrs === undefined ? stated : { ...stated, xattrs };
}

/**
 * Attributes that steer overlayfs are left out: no image means them for its content, and an image must not be able to
 * redirect or hide directories of the overlay its filesystem becomes the lower layer of.
 */
function extendedAttributes(pax: PaxRecords, limits: LayerLimits, offset: number) {
  if (pax.values.size === 0) return undefined;
  const found = new Map<ByteString, ByteString>();
  let total = 0;
  for (const [key, value] of pax.values) {
    if (!key.startsWith(XATTR_PREFIX)) continue;
    const name = key.slice(XATTR_PREFIX.length);
    if (name === '' || name.length > 255) {
      throw new AppcError('ERR_RKT_APPC_TAR_PAX', `extended attribute name has ${name.length} bytes`, { offset });
    }
    if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) continue;
    total += name.length + value.length;
    if (total > limits.maxXattrBytes) {
      throw new AppcError('ERR_RKT_APPC_LIMIT', `extended attributes exceed ${limits.maxXattrBytes} bytes`, { offset });
    }
    found.set(name, value);
  }
  return found.size === 0 ? undefined : found;
}

function ranged(value: number | undefined, what: string, header: RawHeader): number {
  if (value === undefined || value < 0 || value > MAX_ID) throw badField(what, header.offset);
  return value;
}

function badField(what: string, offset: number): AppcError {
  return new AppcError('ERR_RKT_APPC_TAR_HEADER', `tar header at offset ${offset} has a ${what} out of range`, {
    offset,
  });
}

/** The size field of the header itself, whatever PAX records say: what counts for extension headers. */
export function headerSize(bytes: Uint8Array, block: number, offset: number): number {
  const size = fieldNumber(bytes, block, FIELDS.size);
  if (size === undefined || size < 0) throw badField('size', offset);
  return size;
}
