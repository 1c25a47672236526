// SPDX-License-Identifier: Apache-2.0
import type { AciSegment } from './segment.ts';

const CHUNK_BYTES = 64 * 1024;
const ZEROS = new Uint8Array(CHUNK_BYTES);

/** Gathers literal bytes into as few segments as possible; what it hands out is never written again. */
export interface SegmentWriter {
  /** Where bytes are written; another one after a call of `reserve`. */
  readonly buffer: Uint8Array;
  /** Makes room for `length` bytes, zeroed and at most 64 KiB, and gives their offset in `buffer`. */
  reserve(length: number): number;
  /** Copies bytes of any length. */
  copy(bytes: Uint8Array): void;
  /** A range of a layer tar, behind what has been written. */
  range(layer: number, tarOffset: number, length: number): void;
  /** Finished segments that `take` would give, not counting the one being written. */
  readonly pending: number;
  /** The segments since the last call. */
  take(): AciSegment[];
}

export function createSegmentWriter(): SegmentWriter {
  return new ChunkWriter();
}

class ChunkWriter implements SegmentWriter {
  buffer: Uint8Array = new Uint8Array(CHUNK_BYTES);
  #start = 0;
  #end = 0;
  #ready: AciSegment[] = [];

  get pending(): number {
    return this.#ready.length;
  }

  reserve(length: number): number {
    if (this.#end + length > CHUNK_BYTES) {
      this.#flush();
      this.buffer = new Uint8Array(CHUNK_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    this.#end += length;
    return this.#end - length;
  }

  copy(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const piece = bytes.subarray(at, at + CHUNK_BYTES);
      const target = this.reserve(piece.length);
      this.buffer.set(piece, target);
    }
  }

  range(layer: number, tarOffset: number, length: number): void {
    this.#flush();
    this.#ready.push({ kind: 'layer', layer, tarOffset, length });
  }

  take(): AciSegment[] {
    this.#flush();
    const taken = this.#ready;
    this.#ready = [];
    return taken;
  }

  #flush(): void {
    if (this.#end === this.#start) return;
    this.#ready.push({ kind: 'bytes', bytes: this.buffer.subarray(this.#start, this.#end) });
    this.#start = this.#end;
  }
}

/** Zero bytes in pieces of at most 64 KiB that share one buffer: a hole costs no memory, however large. */
export function* zeroSegments(length: number): Generator<AciSegment> {
  for (let rest = length; rest > 0; rest -= CHUNK_BYTES) {
    yield { kind: 'bytes', bytes: rest >= CHUNK_BYTES ? ZEROS : ZEROS.subarray(0, rest) };
  }
}
