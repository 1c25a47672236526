// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from './byte-string.ts';

export const BLOCK = 512;

/** A field of a tar header: where it starts in the block and how long it is, in bytes. */
export interface Field {
  readonly at: number;
  readonly length: number;
}

type FieldName =
  | 'name'
  | 'mode'
  | 'uid'
  | 'gid'
  | 'size'
  | 'mtime'
  | 'checksum'
  | 'type'
  | 'linkname'
  | 'magic'
  | 'devmajor'
  | 'devminor'
  | 'prefix'
  | 'starPrefix'
  | 'starTrailer'
  | 'gnuAtime'
  | 'gnuCtime';

/** POSIX.1-1988 ustar header layout with the fields GNU tar put elsewhere. */
export const FIELDS: Readonly<Record<FieldName, Field>> = {
  name: { at: 0, length: 100 },
  mode: { at: 100, length: 8 },
  uid: { at: 108, length: 8 },
  gid: { at: 116, length: 8 },
  size: { at: 124, length: 12 },
  mtime: { at: 136, length: 12 },
  checksum: { at: 148, length: 8 },
  type: { at: 156, length: 1 },
  linkname: { at: 157, length: 100 },
  magic: { at: 257, length: 8 },
  devmajor: { at: 329, length: 8 },
  devminor: { at: 337, length: 8 },
  prefix: { at: 345, length: 155 },
  starPrefix: { at: 345, length: 131 },
  starTrailer: { at: 508, length: 4 },
  gnuAtime: { at: 345, length: 12 },
  gnuCtime: { at: 357, length: 12 },
};

/** Bytes as a string of the same length, one code unit per byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): ByteString {
  // One call per 4 KiB: more arguments than that can overflow the stack.
  if (end - start <= 4096) return fromBytes(bytes.subarray(start, end));
  let text = '';
  for (let at = start; at < end; at += 4096) text += fromBytes(bytes.subarray(at, Math.min(at + 4096, end)));
  return text;
}

function fromBytes(bytes: Uint8Array): ByteString {
  return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
}

/** The bytes of a field up to its first NUL. */
export function fieldString(bytes: Uint8Array, block: number, field: Field): ByteString {
  const start = block + field.at;
  const limit = start + field.length;
  let end = start;
  while (end < limit && bytes[end] !== 0) end += 1;
  return end === start ? '' : latin1(bytes, start, end);
}

/** A numeric field: octal digits among spaces and NULs, or GNU base-256. Undefined if it is neither or beyond 2^53. */
export function fieldNumber(bytes: Uint8Array, block: number, field: Field): number | undefined {
  const first = bytes[block + field.at] ?? 0;
  return first >= 0x80 ? base256(bytes, block + field.at, field.length) : octal(bytes, block + field.at, field.length);
}

function octal(bytes: Uint8Array, start: number, length: number): number | undefined {
  const end = start + length;
  let at = start;
  while (at < end && isBlank(bytes[at])) at += 1;
  let value = 0;
  for (; at < end && !isBlank(bytes[at]); at += 1) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  // Whatever follows the first NUL is not part of the number; a digit after a space is a broken field.
  for (; at < end && bytes[at] === 0x20; at += 1);
  return at < end && bytes[at] !== 0 ? undefined : value;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20;
}

/** Two's complement big-endian number under the marker bit 0x80 of the first byte. */
function base256(bytes: Uint8Array, start: number, length: number): number | undefined {
  const first = bytes[start] ?? 0;
  const negative = (first & 0x40) !== 0;
  const flip = negative ? 0xff : 0;
  let value = (first ^ flip) & 0x3f;
  for (let at = start + 1; at < start + length; at += 1) value = value * 256 + ((bytes[at] ?? 0) ^ flip);
  if (value >= Number.MAX_SAFE_INTEGER) return undefined;
  return negative ? -value - 1 : value;
}

/** Whether the stored checksum is the sum of the block's bytes, unsigned (POSIX) or signed (historic Sun tar). */
export function checksumMatches(bytes: Uint8Array, block: number): boolean {
  const stored = octal(bytes, block + FIELDS.checksum.at, FIELDS.checksum.length);
  let sum = 8 * 0x20;
  for (let at = block; at < block + FIELDS.checksum.at; at += 1) sum += bytes[at] ?? 0;
  for (let at = block + FIELDS.type.at; at < block + BLOCK; at += 1) sum += bytes[at] ?? 0;
  return stored === sum || stored === signedSum(bytes, block, sum);
}

function signedSum(bytes: Uint8Array, block: number, unsigned: number): number {
  let sum = unsigned;
  for (let at = 0; at < BLOCK; at += 1) {
    const inChecksum = at >= FIELDS.checksum.at && at < FIELDS.type.at;
    if (!inChecksum && (bytes[block + at] ?? 0) >= 0x80) sum -= 256;
  }
  return sum;
}

export function isZeroBlock(bytes: Uint8Array, block: number): boolean {
  // A header's name is its first field: one look tells almost all headers from the end of the archive.
  if (bytes[block] !== 0) return false;
  for (let at = block; at < block + BLOCK; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

export type TarFormat = 'v7' | 'ustar' | 'star' | 'gnu';

export function tarFormat(bytes: Uint8Array, block: number): TarFormat {
  const magic = latin1(bytes, block + FIELDS.magic.at, block + FIELDS.magic.at + FIELDS.magic.length);
  if (magic === 'ustar  \0') return 'gnu';
  if (!magic.startsWith('ustar\0')) return 'v7';
  return fieldString(bytes, block, FIELDS.starTrailer) === 'tar' ? 'star' : 'ustar';
}
