// SPDX-License-Identifier: Apache-2.0
import { AppcError } from '../errors.ts';
import type { ByteString } from './byte-string.ts';
import type { FileEntry, LayerEntry, LayerIndex } from './layer-index.ts';
import { defaultLayerLimits, type LayerLimits } from './layer-limits.ts';
import { type PaxRecords, parsePaxRecords } from './pax-records.ts';
import {
  createSparseMapReader,
  gnuRealSize,
  paxSparse,
  readGnuRuns,
  type SparseMapReader,
  type SparseRun,
  sparseExtents,
} from './sparse-map.ts';
import { headerSize, type RawHeader, readEntry } from './tar-entry.ts';
import { BLOCK, checksumMatches, FIELDS, isZeroBlock, latin1, tarFormat } from './tar-fields.ts';

/** Makes the index of a layer from the bytes of its uncompressed tar, in one pass and without keeping content. */
export interface LayerIndexer {
  /** Takes the next bytes; they are not kept. Throws AppcError as soon as the archive is known to be unusable. */
  push(chunk: Uint8Array): void;
  /** The entries whose content has gone by since the last call, in archive order. They are the caller's, and not kept. */
  takeComplete(): readonly LayerEntry[];
  /**
   * To be called once, after the last byte: the entries that were not taken. Throws AppcError `ERR_RKT_APPC_TAR_TRUNCATED` if the
   * archive is cut short.
   */
  finish(): LayerIndex;
}

/**
 * Reads ustar, PAX, GNU, star and V7 archives. The archive ends at two zero blocks or, as GNU tar and Go have it, simply
 * where the bytes end; what follows the zero blocks counts towards `size` and is otherwise ignored. Global PAX headers
 * are skipped, as container engines skip them.
 *
 * @throws AppcError (from `push` and `finish`) `ERR_RKT_APPC_TAR_*`, `ERR_RKT_APPC_PATH`, `ERR_RKT_APPC_HARDLINK`,
 * `ERR_RKT_APPC_LIMIT`. After a throw the indexer must not be used any further.
 */
export function createLayerIndexer(limits: Partial<LayerLimits> = {}): LayerIndexer {
  return new TarIndexer({ ...defaultLayerLimits, ...limits });
}

/** A body that is kept: PAX records or a GNU long name. */
interface Body {
  readonly type: 'x' | 'L' | 'K';
  readonly length: number;
  readonly bytes: Uint8Array;
  filled: number;
}

/** A sparse file whose map has blocks of its own after the header. */
interface OpenSparse {
  readonly entry: FileEntry;
  readonly storedSize: number;
  readonly realSize: number;
  readonly runs: SparseRun[];
  /** Set for PAX 1.0, where the map is part of the content. */
  readonly map: SparseMapReader | undefined;
}

class TarIndexer implements LayerIndexer {
  readonly #limits: LayerLimits;
  /** Those that have not been taken. */
  #entries: LayerEntry[] = [];
  #entryCount = 0;
  readonly #partial = new Uint8Array(BLOCK);
  #partialFilled = 0;
  /** Offset of the next byte to be looked at. */
  #offset = 0;
  #skip = 0;
  /** Where the content being skipped ends: the archive must reach this far, though not to the end of its padding. */
  #contentEnd = 0;
  #body: Body | undefined;
  #sparse: OpenSparse | undefined;
  #firstHeader = -1;
  #pax: PaxRecords | undefined;
  #longName: ByteString | undefined;
  #longLink: ByteString | undefined;
  #zeroBlocks = 0;
  #metadataBytes = 0;
  #sparseExtents = 0;
  #holeBytes = 0;

  constructor(limits: LayerLimits) {
    this.#limits = limits;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const available = chunk.length - at;
      if (this.#zeroBlocks === 2) at += this.#pass(available);
      else if (this.#skip > 0) {
        const taken = this.#pass(Math.min(this.#skip, available));
        this.#skip -= taken;
        at += taken;
      } else if (this.#body !== undefined) at += this.#takeBody(this.#body, chunk.subarray(at));
      else if (this.#partialFilled === 0 && available >= BLOCK) {
        this.#takeBlock(chunk, at);
        at += BLOCK;
      } else at += this.#fillPartial(chunk.subarray(at));
    }
  }

  takeComplete(): readonly LayerEntry[] {
    const complete = this.#entries;
    this.#entries = this.#skip > 0 ? complete.splice(-1) : [];
    return complete;
  }

  finish(): LayerIndex {
    const dangling = this.#body !== undefined || this.#sparse !== undefined || this.#firstHeader >= 0;
    if (this.#offset < this.#contentEnd || this.#partialFilled > 0 || dangling) {
      throw new AppcError(
        'ERR_RKT_APPC_TAR_TRUNCATED',
        `tar ends in the middle of an entry, after ${this.#offset} bytes`,
        {
          offset: this.#offset,
        },
      );
    }
    return { size: this.#offset, entries: this.#entries };
  }

  #pass(count: number): number {
    this.#offset += count;
    return count;
  }

  #fillPartial(bytes: Uint8Array): number {
    const taken = Math.min(BLOCK - this.#partialFilled, bytes.length);
    this.#partial.set(bytes.subarray(0, taken), this.#partialFilled);
    this.#partialFilled += taken;
    if (this.#partialFilled < BLOCK) return taken;
    this.#partialFilled = 0;
    this.#takeBlock(this.#partial, 0);
    return taken;
  }

  #takeBlock(bytes: Uint8Array, block: number): void {
    const offset = this.#offset;
    this.#offset += BLOCK;
    if (this.#sparse === undefined) this.#takeHeader(bytes, block, offset);
    else if (this.#sparse.map === undefined) this.#takeGnuExtension(this.#sparse, bytes, block);
    else if (this.#sparse.map.push(bytes, block)) this.#closeSparse(this.#sparse, this.#sparse.map.runs());
    else if (this.#sparse.map.byteLength >= this.#sparse.storedSize) {
      throw new AppcError('ERR_RKT_APPC_TAR_SPARSE', 'map of a sparse file is longer than the content it is part of', {
        offset,
      });
    }
  }

  #takeHeader(bytes: Uint8Array, block: number, offset: number): void {
    if (isZeroBlock(bytes, block)) {
      this.#zeroBlocks += 1;
      return;
    }
    if (this.#zeroBlocks > 0) {
      throw new AppcError('ERR_RKT_APPC_TAR_HEADER', `tar has a lone zero block before offset ${offset}`, { offset });
    }
    if (!checksumMatches(bytes, block)) {
      throw new AppcError('ERR_RKT_APPC_TAR_CHECKSUM', `tar header at offset ${offset} has a wrong checksum`, {
        offset,
      });
    }
    if (this.#firstHeader < 0) this.#firstHeader = offset;
    const type = String.fromCharCode(bytes[block + FIELDS.type.at] ?? 0);
    if (type === 'x' || type === 'L' || type === 'K') this.#openBody(type, headerSize(bytes, block, offset), offset);
    else if (type === 'g') this.#skipGlobal(headerSize(bytes, block, offset), offset);
    else this.#takeEntry(this.#rawHeader(bytes, block, offset), type);
  }

  #rawHeader(bytes: Uint8Array, block: number, offset: number): RawHeader {
    const extensions = {
      headerOffset: this.#firstHeader,
      pax: this.#pax,
      longName: this.#longName,
      longLink: this.#longLink,
    };
    this.#firstHeader = -1;
    this.#pax = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    return { bytes, block, offset, extensions };
  }

  #skipGlobal(size: number, offset: number): void {
    if (this.#firstHeader === offset) this.#firstHeader = -1;
    this.#skipContent(size);
  }

  #openBody(type: Body['type'], length: number, offset: number): void {
    if (length > this.#limits.maxExtensionBytes) {
      throw new AppcError(
        'ERR_RKT_APPC_LIMIT',
        `extended header at offset ${offset} has ${length} bytes, more than ${this.#limits.maxExtensionBytes}`,
        { offset },
      );
    }
    const body: Body = { type, length, bytes: new Uint8Array(padded(length)), filled: 0 };
    if (length === 0) this.#closeBody(body);
    else this.#body = body;
  }

  #takeBody(body: Body, bytes: Uint8Array): number {
    const taken = this.#pass(Math.min(body.bytes.length - body.filled, bytes.length));
    body.bytes.set(bytes.subarray(0, taken), body.filled);
    body.filled += taken;
    if (body.filled === body.bytes.length) {
      this.#body = undefined;
      this.#closeBody(body);
    }
    return taken;
  }

  #closeBody(body: Body): void {
    const content = body.bytes.subarray(0, body.length);
    if (body.type === 'x') this.#pax = parsePaxRecords(content, this.#offset - body.bytes.length);
    else if (body.type === 'L') this.#longName = untilNul(content);
    else this.#longLink = untilNul(content);
  }

  #takeEntry(header: RawHeader, type: string): void {
    const entry = readEntry(header, this.#limits);
    this.#charge(entry);
    if (entry.kind !== 'file') this.#add(entry);
    else if (type === 'S') this.#openGnuSparse(entry, header);
    else if (header.extensions.pax !== undefined) this.#takePaxFile(entry, header.extensions.pax);
    else this.#addPlainFile(entry);
  }

  #charge(entry: LayerEntry): void {
    let bytes = entry.path.length + ('target' in entry ? entry.target.length : 0);
    for (const [name, value] of entry.xattrs ?? []) bytes += name.length + value.length;
    this.#metadataBytes += bytes;
    if (this.#metadataBytes > this.#limits.maxMetadataBytes) {
      throw new AppcError(
        'ERR_RKT_APPC_LIMIT',
        `names and attributes of a layer exceed ${this.#limits.maxMetadataBytes} bytes`,
      );
    }
    if (this.#entryCount >= this.#limits.maxEntries) {
      throw new AppcError('ERR_RKT_APPC_LIMIT', `layer has more than ${this.#limits.maxEntries} entries`);
    }
  }

  #addPlainFile(entry: FileEntry): void {
    this.#add(entry);
    this.#skipContent(entry.size);
  }

  #add(entry: LayerEntry): void {
    this.#entries.push(entry);
    this.#entryCount += 1;
  }

  #takePaxFile(entry: FileEntry, pax: PaxRecords): void {
    const sparse = paxSparse(pax, entry.headerOffset);
    if (sparse === undefined) {
      this.#addPlainFile(entry);
      return;
    }
    const map = sparse.runs === undefined ? createSparseMapReader(this.#limits.maxExtensionBytes) : undefined;
    const open: OpenSparse = { entry, storedSize: entry.size, realSize: sparse.realSize, runs: [], map };
    if (sparse.runs === undefined) this.#sparse = open;
    else this.#closeSparse(open, sparse.runs);
  }

  #openGnuSparse(entry: FileEntry, header: RawHeader): void {
    const { bytes, block, offset } = header;
    if (tarFormat(bytes, block) !== 'gnu') {
      throw new AppcError('ERR_RKT_APPC_TAR_SPARSE', `sparse file at offset ${offset} is not in GNU format`, {
        offset,
      });
    }
    const runs: SparseRun[] = [];
    const more = readGnuRuns(bytes, block, 'header', runs);
    const open: OpenSparse = {
      entry,
      storedSize: entry.size,
      realSize: gnuRealSize(bytes, block),
      runs,
      map: undefined,
    };
    if (more) this.#sparse = open;
    else this.#closeSparse(open, runs);
  }

  #takeGnuExtension(open: OpenSparse, bytes: Uint8Array, block: number): void {
    const more = readGnuRuns(bytes, block, 'extension', open.runs);
    this.#checkExtents(open.runs.length);
    if (!more) this.#closeSparse(open, open.runs);
  }

  #closeSparse(open: OpenSparse, runs: readonly SparseRun[]): void {
    this.#sparse = undefined;
    const dataLength = open.storedSize - (open.map?.byteLength ?? 0);
    const extents = sparseExtents(runs, { realSize: open.realSize, dataOffset: this.#offset, dataLength });
    this.#checkExtents(extents.length);
    this.#sparseExtents += extents.length;
    this.#holeBytes += open.realSize - dataLength;
    if (this.#holeBytes > this.#limits.maxHoleBytes) {
      throw new AppcError('ERR_RKT_APPC_LIMIT', `holes of sparse files exceed ${this.#limits.maxHoleBytes} bytes`);
    }
    this.#add({ ...open.entry, size: open.realSize, extents });
    this.#skipContent(dataLength);
  }

  #checkExtents(more: number): void {
    if (this.#sparseExtents + more <= this.#limits.maxSparseExtents) return;
    throw new AppcError('ERR_RKT_APPC_LIMIT', `sparse files have more than ${this.#limits.maxSparseExtents} extents`);
  }

  #skipContent(size: number): void {
    this.#contentEnd = this.#offset + size;
    this.#skip = padded(size);
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function untilNul(bytes: Uint8Array): ByteString {
  const end = bytes.indexOf(0);
  return latin1(bytes, 0, end < 0 ? bytes.length : end);
}
