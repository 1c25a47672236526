// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '../tree/byte-string.ts';
import type { EntryAttributes } from '../tree/layer-index.ts';
import { BLOCK, FIELDS, type Field } from '../tree/tar-fields.ts';
import type { SegmentWriter } from './segment-writer.ts';

export type TarType = '0' | '1' | '2' | '3' | '4' | '5' | '6';

/** A header to be written: what ustar fields cannot hold goes into PAX records before it. */
export interface TarHeader {
  readonly path: ByteString;
  readonly type: TarType;
  readonly attributes: EntryAttributes;
  readonly size?: number;
  readonly linkname?: ByteString;
  readonly major?: number;
  readonly minor?: number;
}

const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;
const PAX_NAME = '././@PaxHeader';
const NO_ATTRIBUTES: EntryAttributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };

/**
 * Writes a header in the one form it can have: ustar, preceded by a PAX header if and only if a value does not fit.
 * Names are written byte for byte, whatever their encoding.
 */
export function writeTarHeader(writer: SegmentWriter, header: TarHeader): void {
  const split = splitName(header.path);
  const records = paxRecords(header, split === undefined);
  if (records !== '') writePax(writer, records);
  writeBlock(writer, header, split ?? { prefix: '', name: header.path.slice(0, FIELDS.name.length) });
}

/** Zeros up to the next multiple of 512 after `length` bytes of content. */
export function writePadding(writer: SegmentWriter, length: number): void {
  const over = length % BLOCK;
  if (over > 0) writer.reserve(BLOCK - over);
}

function writePax(writer: SegmentWriter, records: ByteString): void {
  const header: TarHeader = { path: PAX_NAME, type: '0', attributes: NO_ATTRIBUTES, size: records.length };
  writeBlock(writer, header, { prefix: '', name: PAX_NAME }, 'x');
  const bytes = new Uint8Array(records.length);
  putString(bytes, 0, records);
  writer.copy(bytes);
  writePadding(writer, records.length);
}

interface SplitName {
  readonly prefix: ByteString;
  readonly name: ByteString;
}

/** The name in ustar's two fields, divided at the last slash the prefix has room for; undefined if it does not fit. */
function splitName(path: ByteString): SplitName | undefined {
  if (path.length <= FIELDS.name.length) return { prefix: '', name: path };
  if (path.length > FIELDS.prefix.length + 1 + FIELDS.name.length) return undefined;
  const slash = path.lastIndexOf('/', Math.min(FIELDS.prefix.length, path.length - 2));
  const name = path.slice(slash + 1);
  return slash > 0 && name.length <= FIELDS.name.length ? { prefix: path.slice(0, slash), name } : undefined;
}

/** Records in a fixed order; an attribute's name decides its place among the attributes. */
function paxRecords(header: TarHeader, nameTooLong: boolean): ByteString {
  const { attributes, linkname = '', size = 0 } = header;
  let records = '';
  if (nameTooLong) records += paxRecord('path', header.path);
  if (linkname.length > FIELDS.linkname.length) records += paxRecord('linkpath', linkname);
  if (size > MAX_OCTAL_11) records += paxRecord('size', String(size));
  if (attributes.uid > MAX_OCTAL_7) records += paxRecord('uid', String(attributes.uid));
  if (attributes.gid > MAX_OCTAL_7) records += paxRecord('gid', String(attributes.gid));
  if (!fitsOctalTime(attributes)) records += paxRecord('mtime', decimalTime(attributes));
  if (attributes.xattrs === undefined) return records;
  // Code units are bytes: the default order of strings is the order of bytes.
  for (const name of [...attributes.xattrs.keys()].sort()) {
    records += paxRecord(`SCHILY.xattr.${name}`, attributes.xattrs.get(name) ?? '');
  }
  return records;
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits. */
function paxRecord(key: string, value: ByteString): ByteString {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function fitsOctalTime({ mtime, mtimeNanoseconds }: EntryAttributes): boolean {
  return mtimeNanoseconds === 0 && mtime >= 0 && mtime <= MAX_OCTAL_11;
}

/** Decimal seconds; a time before the epoch with a fraction is written as the negative decimal number it is. */
function decimalTime({ mtime, mtimeNanoseconds }: EntryAttributes): string {
  if (mtimeNanoseconds === 0) return String(mtime);
  const negative = mtime < 0;
  const whole = negative ? -(mtime + 1) : mtime;
  const fraction = negative ? 1_000_000_000 - mtimeNanoseconds : mtimeNanoseconds;
  const digits = String(fraction).padStart(9, '0').replace(/0+$/, '');
  return `${negative ? '-' : ''}${whole}.${digits}`;
}

function writeBlock(
  writer: SegmentWriter,
  header: TarHeader,
  split: SplitName,
  type: TarType | 'x' = header.type,
): void {
  const { attributes, linkname = '' } = header;
  const block = writer.reserve(BLOCK);
  putString(block, FIELDS.name.at, split.name);
  putOctal(block, FIELDS.mode, attributes.mode);
  putOctal(block, FIELDS.uid, attributes.uid > MAX_OCTAL_7 ? 0 : attributes.uid);
  putOctal(block, FIELDS.gid, attributes.gid > MAX_OCTAL_7 ? 0 : attributes.gid);
  putOctal(block, FIELDS.size, (header.size ?? 0) > MAX_OCTAL_11 ? 0 : (header.size ?? 0));
  putOctal(block, FIELDS.mtime, Math.min(Math.max(attributes.mtime, 0), MAX_OCTAL_11));
  putString(block, FIELDS.type.at, type);
  putString(block, FIELDS.linkname.at, linkname.slice(0, FIELDS.linkname.length));
  putString(block, FIELDS.magic.at, 'ustar\x0000');
  putDevice(block, FIELDS.devmajor, header.major ?? 0);
  putDevice(block, FIELDS.devminor, header.minor ?? 0);
  putString(block, FIELDS.prefix.at, split.prefix);
  putChecksum(block);
}

function putString(block: Uint8Array, at: number, text: ByteString): void {
  for (let index = 0; index < text.length; index += 1) block[at + index] = text.charCodeAt(index);
}

/** Octal digits that fill the field but for a final NUL. */
function putOctal(block: Uint8Array, field: Field, value: number): void {
  let rest = value;
  for (let at = field.at + field.length - 2; at >= field.at; at -= 1) {
    block[at] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

/** PAX has no record for device numbers: those beyond seven octal digits are written in GNU's base-256. */
function putDevice(block: Uint8Array, field: Field, value: number): void {
  if (value <= MAX_OCTAL_7) {
    putOctal(block, field, value);
    return;
  }
  new DataView(block.buffer, block.byteOffset + field.at).setUint32(4, value);
  block[field.at] = 0x80;
}

/** Six octal digits, NUL, space, over the block with spaces in the checksum's place. */
function putChecksum(block: Uint8Array): void {
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at += 1) sum += block[at] ?? 0;
  putOctal(block, { at: FIELDS.checksum.at, length: 7 }, sum);
  block[FIELDS.checksum.at + 7] = 0x20;
}
