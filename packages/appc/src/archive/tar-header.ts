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
  const { attributes, linkname = '', size = 0 } = header;
  const block = writer.reserve(BLOCK);
  const bytes = writer.buffer;
  // The checksum is the sum of all bytes; most are zero, so those written are summed and not the block.
  let sum = 8 * 0x20;
  sum += putString(bytes, block + FIELDS.name.at, split.name);
  sum += putOctal(bytes, block, FIELDS.mode, attributes.mode);
  sum += putOctal(bytes, block, FIELDS.uid, attributes.uid > MAX_OCTAL_7 ? 0 : attributes.uid);
  sum += putOctal(bytes, block, FIELDS.gid, attributes.gid > MAX_OCTAL_7 ? 0 : attributes.gid);
  sum += putOctal(bytes, block, FIELDS.size, size > MAX_OCTAL_11 ? 0 : size);
  sum += putOctal(bytes, block, FIELDS.mtime, Math.min(Math.max(attributes.mtime, 0), MAX_OCTAL_11));
  sum += putString(bytes, block + FIELDS.type.at, type);
  sum += putString(bytes, block + FIELDS.linkname.at, linkname.slice(0, FIELDS.linkname.length));
  sum += putString(bytes, block + FIELDS.magic.at, 'ustar\x0000');
  sum += putDevice(bytes, block, FIELDS.devmajor, header.major ?? 0);
  sum += putDevice(bytes, block, FIELDS.devminor, header.minor ?? 0);
  sum += putString(bytes, block + FIELDS.prefix.at, split.prefix);
  // Six octal digits, NUL, space.
  putOctal(bytes, block, { at: FIELDS.checksum.at, length: 7 }, sum);
  bytes[block + FIELDS.checksum.at + 7] = 0x20;
}

/** Writes a string; gives the sum of its bytes. */
function putString(bytes: Uint8Array, at: number, text: ByteString): number {
  let sum = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    bytes[at + index] = unit;
    sum += unit;
  }
  return sum;
}

/** Writes octal digits that fill the field but for a final NUL; gives their sum. */
function putOctal(bytes: Uint8Array, block: number, field: Field, value: number): number {
  const first = block + field.at;
  let sum = 0;
  let at = first + field.length - 2;
  let rest = value;
  // Shifts work on 32 bits: the digits above them are divided off.
  for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 8)) sum += bytes[at--] = 0x30 + (rest % 8);
  for (; at >= first; rest >>>= 3) sum += bytes[at--] = 0x30 + (rest & 7);
  return sum;
}

/** PAX has no record for device numbers: those beyond seven octal digits are written in GNU's base-256. */
function putDevice(bytes: Uint8Array, block: number, field: Field, value: number): number {
  if (value <= MAX_OCTAL_7) return putOctal(bytes, block, field, value);
  const number = new Uint8Array(field.length);
  new DataView(number.buffer).setUint32(field.length - 4, value);
  number[0] = 0x80;
  bytes.set(number, block + field.at);
  return number.reduce((sum, byte) => sum + byte, 0);
}
