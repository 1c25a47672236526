// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from './byte-string.ts';

/** A growing buffer of variable-length numbers and byte strings. */
export interface ByteWriter {
  /** A non-negative integer up to 2^53 - 1 as LEB128. */
  unsigned(value: number): void;
  /** An integer within +-2^52, zigzag. */
  signed(value: number): void;
  /** Its length, then its bytes. */
  string(text: ByteString): void;
  /** The bytes written so far; no copy. */
  bytes(): Uint8Array;
}

export function createByteWriter(initialBytes: number): ByteWriter {
  let buffer = new Uint8Array(initialBytes);
  let at = 0;
  const reserve = (count: number): void => {
    if (at + count <= buffer.length) return;
    const grown = new Uint8Array(Math.max(buffer.length * 2, at + count));
    grown.set(buffer);
    buffer = grown;
  };
  const unsigned = (value: number): void => {
    reserve(8);
    let rest = value;
    // Shifts work on 32 bits: larger numbers are divided.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) buffer[at++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
    buffer[at++] = rest;
  };
  return {
    unsigned,
    signed: (value) => unsigned(value < 0 ? -value * 2 - 1 : value * 2),
    string(text) {
      unsigned(text.length);
      reserve(text.length);
      for (let index = 0; index < text.length; index += 1) buffer[at++] = text.charCodeAt(index);
    },
    bytes: () => buffer.subarray(0, at),
  };
}
