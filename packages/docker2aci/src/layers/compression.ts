// SPDX-License-Identifier: Apache-2.0
import { ConversionError, quote } from '../errors.ts';

/** How a layer blob is packed. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** Bytes of a blob that are enough for {@link detectCompression}: one tar block. */
export const DETECTION_BYTES = 512;

/** What a blob is, for messages. */
export interface BlobName {
  readonly digest: string;
  readonly mediaType: string;
}

const REFUSED: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18] },
  { name: 'lzip', magic: [0x4c, 0x5a, 0x49, 0x50] },
  { name: 'lzma', magic: [0x5d, 0x00, 0x00] },
  { name: 'zip', magic: [0x50, 0x4b, 0x03, 0x04] },
  { name: 'compress', magic: [0x1f, 0x9d] },
];

/**
 * How a blob is packed, by its first bytes; `head` holds 512 of them or all there are. Content decides, as in every
 * engine: blobs labelled gzip that are plain or zstd exist, and the diffID says whether the result is right.
 *
 * @throws ConversionError `UNSUPPORTED_COMPRESSION`, `NOT_A_TAR` (an HTML page, an empty blob where gzip or zstd is promised).
 */
export function detectCompression(head: Uint8Array, blob: BlobName): Compression {
  if (startsWith(head, [0x1f, 0x8b])) return 'gzip';
  if (isZstd(head)) return 'zstd';
  if (isTarStart(head) || (head.length === 0 && !/gzip|zstd/.test(blob.mediaType))) return 'none';
  const refused = REFUSED.find(({ magic }) => startsWith(head, magic));
  const looks =
    refused === undefined ? 'neither a tar nor compressed with gzip or zstd' : `compressed with ${refused.name}`;
  throw new ConversionError(
    refused === undefined ? 'ERR_RKT_DOCKER2ACI_NOT_A_TAR' : 'ERR_RKT_DOCKER2ACI_UNSUPPORTED_COMPRESSION',
    `layer ${blob.digest} of type ${quote(blob.mediaType)} is ${looks}: it begins with ${firstBytes(head)}`,
    {
      digest: blob.digest,
      expected: 'a tar, plain or compressed with gzip or zstd',
      actual: refused?.name ?? firstBytes(head),
    },
  );
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((value, index) => bytes[index] === value);
}

/** A frame or a skippable frame. RFC 8878, sections 3.1.1 and 3.1.2. */
function isZstd(head: Uint8Array): boolean {
  if (startsWith(head, [0x28, 0xb5, 0x2f, 0xfd])) return true;
  return ((head[0] ?? 0) & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18]);
}

/** A header block with its checksum, or the zero block of an empty archive. */
function isTarStart(head: Uint8Array): boolean {
  if (head.length < DETECTION_BYTES) return false;
  const block = head.subarray(0, DETECTION_BYTES);
  let unsigned = 0;
  let signed = 0;
  for (const [index, byte] of block.entries()) {
    const value = index >= 148 && index < 156 ? 0x20 : byte;
    unsigned += value;
    signed += value > 127 ? value - 256 : value;
  }
  if (unsigned === 8 * 0x20 && block.subarray(148, 156).every((byte) => byte === 0)) return true;
  const stated = Number.parseInt(String.fromCharCode(...block.subarray(148, 156)), 8);
  return stated === unsigned || stated === signed;
}

function firstBytes(head: Uint8Array): string {
  if (head.length === 0) return 'nothing, it is empty';
  const bytes = head.subarray(0, 16);
  const text = bytes.every((byte) => byte >= 0x20 && byte < 0x7f) ? ` (${quote(String.fromCharCode(...bytes))})` : '';
  return `${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')}${text}`;
}
