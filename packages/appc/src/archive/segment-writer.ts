// SPDX-License-Identifier: Apache-2.0
import type { AciSegment } from './segment.ts';

const CHUNK_BYTES = 64 * 1024;
const ZEROS = new Uint8Array(CHUNK_BYTES);

/** Gathers literal bytes into as few segments as possible; what it hands out is never written again. */
export interface SegmentWriter {
  /** `length` zeroed bytes to write into; at most 64 KiB may be asked for at a time. */
  reserve(length: number): Uint8Array;
  /** Copies bytes of any length. */
  copy(bytes: Uint8Array): void;
  /** The segments since the last call. */
  take(): AciSegment[];
}

export function createSegmentWriter(): SegmentWriter {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let start = 0;
  let end = 0;
  let ready: AciSegment[] = [];
  const flush = (): void => {
    if (end > start) ready.push({ kind: 'bytes', bytes: chunk.subarray(start, end) });
    start = end;
  };
  const reserve = (length: number): Uint8Array => {
    if (end + length > chunk.length) {
      flush();
      chunk = new Uint8Array(CHUNK_BYTES);
      start = 0;
      end = 0;
    }
    end += length;
    return chunk.subarray(end - length, end);
  };
  return {
    reserve,
    copy(bytes) {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        const piece = bytes.subarray(at, at + CHUNK_BYTES);
        reserve(piece.length).set(piece);
      }
    },
    take() {
      flush();
      const taken = ready;
      ready = [];
      return taken;
    },
  };
}

/** Zero bytes in pieces of at most 64 KiB that share one buffer: a hole costs no memory, however large. */
export function* zeroSegments(length: number): Generator<AciSegment> {
  for (let rest = length; rest > 0; rest -= CHUNK_BYTES) {
    yield { kind: 'bytes', bytes: rest >= CHUNK_BYTES ? ZEROS : ZEROS.subarray(0, rest) };
  }
}
