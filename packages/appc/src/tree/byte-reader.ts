// SPDX-License-Identifier: Apache-2.0
import { AppcError } from '../errors.ts';
import type { ByteString } from './byte-string.ts';
import { latin1 } from './tar-fields.ts';

/** Reads what a ByteWriter wrote, from bytes nobody vouches for: every read is bounds-checked. */
export interface ByteReader {
  readonly offset: number;
  readonly atEnd: boolean;
  unsigned(): number;
  signed(): number;
  string(): ByteString;
}

/** @throws AppcError (from every read) `ERR_RKT_APPC_INDEX` beyond the end or for a number beyond 2^53 - 1. */
export function createByteReader(bytes: Uint8Array, start: number): ByteReader {
  let at = start;
  const unsigned = (): number => {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = bytes[at];
      if (byte === undefined) break;
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw new AppcError('ERR_RKT_APPC_INDEX', `layer index has a broken number before offset ${at}`, { offset: at });
  };
  return {
    get offset() {
      return at;
    },
    get atEnd() {
      return at === bytes.length;
    },
    unsigned,
    signed() {
      const value = unsigned();
      return value % 2 === 0 ? value / 2 : -(value - 1) / 2 - 1;
    },
    string() {
      const length = unsigned();
      if (length > bytes.length - at) {
        throw new AppcError('ERR_RKT_APPC_INDEX', `layer index has a name of ${length} bytes beyond its end`, {
          offset: at,
        });
      }
      at += length;
      return length === 0 ? '' : latin1(bytes, at - length, at);
    },
  };
}
