// SPDX-License-Identifier: Apache-2.0
import { AppcError } from '../errors.ts';
import type { ByteString } from './byte-string.ts';
import type { Extent } from './layer-index.ts';
import type { PaxRecords } from './pax-records.ts';
import { paxInteger } from './pax-records.ts';
import { BLOCK, fieldNumber, latin1 } from './tar-fields.ts';

/** A run of data in a sparse file, in bytes, in the order of the archive. */
export interface SparseRun {
  readonly offset: number;
  readonly length: number;
}

const GNU_RUN_BYTES = 24;
const GNU_NUMBER_BYTES = 12;
const HEADER_RUNS = { at: 386, count: 4, moreAt: 482, realSizeAt: 483 };
const EXTENSION_RUNS = { at: 0, count: 21, moreAt: 504 };

/** Old GNU sparse header (type `S`): size of the file with its holes. */
export function gnuRealSize(bytes: Uint8Array, block: number): number {
  const size = fieldNumber(bytes, block, { at: HEADER_RUNS.realSizeAt, length: GNU_NUMBER_BYTES });
  if (size === undefined || size < 0) throw badMap('its size is not a number');
  return size;
}

/** Reads the runs in an old GNU sparse header or extension block into `runs`; true if another extension block follows. */
export function readGnuRuns(
  bytes: Uint8Array,
  block: number,
  kind: 'header' | 'extension',
  runs: SparseRun[],
): boolean {
  const layout = kind === 'header' ? HEADER_RUNS : EXTENSION_RUNS;
  for (let index = 0; index < layout.count; index += 1) {
    const at = layout.at + index * GNU_RUN_BYTES;
    if (bytes[block + at] === 0) break;
    const offset = fieldNumber(bytes, block, { at, length: GNU_NUMBER_BYTES });
    const length = fieldNumber(bytes, block, { at: at + GNU_NUMBER_BYTES, length: GNU_NUMBER_BYTES });
    if (offset === undefined || length === undefined) throw badMap('it holds something that is no number');
    runs.push({ offset, length });
  }
  return bytes[block + layout.moreAt] !== 0;
}

/** What PAX records say of a sparse file: formats 0.0 and 0.1 carry the map, 1.0 puts it before the data. */
export interface PaxSparse {
  readonly realSize: number;
  /** Undefined for format 1.0: the map is still to be read from the content. */
  readonly runs: readonly SparseRun[] | undefined;
}

/** The sparse file described by PAX records, or undefined if they describe none. */
export function paxSparse(pax: PaxRecords, offset: number): PaxSparse | undefined {
  const version = `${pax.values.get('GNU.sparse.major') ?? ''}.${pax.values.get('GNU.sparse.minor') ?? ''}`;
  const numbers = pax.values.get('GNU.sparse.map')?.split(',') ?? pax.sparsePairs;
  const inRecords = version === '0.0' || version === '0.1' || (version === '.' && numbers.length > 0);
  if (!inRecords && version !== '1.0') return undefined;
  const realSize = paxInteger(pax, 'GNU.sparse.realsize', offset) ?? paxInteger(pax, 'GNU.sparse.size', offset);
  if (realSize === undefined) throw badMap('its size is missing');
  return { realSize, runs: inRecords ? toRuns(numbers.filter((text) => text !== '')) : undefined };
}

/** Collects the map at the head of the content of a PAX 1.0 sparse file, block by block. */
export interface SparseMapReader {
  /** Takes one 512-byte block; true when the map is complete. */
  push(bytes: Uint8Array, block: number): boolean;
  /** Bytes of content the map takes: a multiple of 512. */
  readonly byteLength: number;
  runs(): readonly SparseRun[];
}

export function createSparseMapReader(maxBytes: number): SparseMapReader {
  const pieces: ByteString[] = [];
  let lines = 0;
  let wanted: number | undefined;
  const readCount = (): number => {
    const text = pieces.join('');
    const count = decimal(text.slice(0, text.indexOf('\n')));
    if (count > maxBytes) throw tooLarge(maxBytes);
    return 1 + 2 * count;
  };
  return {
    push(bytes, block) {
      if ((pieces.length + 1) * BLOCK > maxBytes) throw tooLarge(maxBytes);
      pieces.push(latin1(bytes, block, block + BLOCK));
      for (let at = block; at < block + BLOCK; at += 1) if (bytes[at] === 0x0a) lines += 1;
      if (lines > 0) wanted ??= readCount();
      return wanted !== undefined && lines >= wanted;
    },
    get byteLength() {
      return pieces.length * BLOCK;
    },
    runs: () => toRuns(pieces.join('').split('\n').slice(1, wanted)),
  };
}

function tooLarge(maxBytes: number): AppcError {
  return new AppcError('ERR_RKT_APPC_LIMIT', `map of a sparse file exceeds ${maxBytes} bytes`);
}

function toRuns(numbers: readonly ByteString[]): SparseRun[] {
  if (numbers.length % 2 !== 0) throw badMap('it has an offset without a length');
  const runs: SparseRun[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    runs.push({ offset: decimal(numbers[at] ?? ''), length: decimal(numbers[at + 1] ?? '') });
  }
  return runs;
}

function decimal(text: ByteString): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw badMap('it holds something that is no number');
  return value;
}

/** Where the data of a sparse file stands: `dataOffset` and `dataLength` are its stored data in the tar. */
export interface SparseData {
  readonly realSize: number;
  readonly dataOffset: number;
  readonly dataLength: number;
}

/**
 * The extents of a sparse file.
 *
 * @throws AppcError `ERR_RKT_APPC_TAR_SPARSE`: runs out of order, overlapping, beyond the file, or not the stored data.
 */
export function sparseExtents(runs: readonly SparseRun[], data: SparseData): readonly Extent[] {
  const extents: Extent[] = [];
  let fileEnd = 0;
  let stored = 0;
  for (const { offset, length } of runs) {
    if (offset < fileEnd || length < 0 || length > data.realSize - offset)
      throw badMap('its runs overlap or exceed the file');
    if (length > 0) extents.push({ fileOffset: offset, tarOffset: data.dataOffset + stored, length });
    fileEnd = offset + length;
    stored += length;
  }
  if (stored !== data.dataLength) throw badMap(`its runs hold ${stored} bytes, the archive ${data.dataLength}`);
  return extents;
}

function badMap(what: string): AppcError {
  return new AppcError('ERR_RKT_APPC_TAR_SPARSE', `map of a sparse file is not valid: ${what}`);
}
