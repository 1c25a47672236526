// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';
import type { ByteString } from './byte-string.ts';
import { latin1 } from './tar-fields.ts';

/** Records of one PAX extended header (POSIX.1-2001) that bear on the entry after it. */
export interface PaxRecords {
  /** Last value of each key. */
  readonly values: ReadonlyMap<ByteString, ByteString>;
  /** The numbers of GNU sparse format 0.0, which alone repeats its keys: offset, length, offset, length. */
  readonly sparsePairs: readonly ByteString[];
}

const DIGIT_0 = 0x30;
const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

/**
 * Parses the body of a PAX header: records of the form `LENGTH KEY=VALUE\n`.
 *
 * @throws AppcError `ERR_RKT_APPC_TAR_PAX` for anything else.
 */
export function parsePaxRecords(body: Uint8Array, offset: number): PaxRecords {
  const values = new Map<ByteString, ByteString>();
  const sparsePairs: ByteString[] = [];
  let at = 0;
  while (at < body.length) {
    const { keyAt, end } = recordBounds(body, at, offset);
    const equals = body.indexOf(EQUALS, keyAt);
    if (equals <= keyAt || equals >= end - 1) throw malformed(offset + at, 'a record without a key');
    const key = latin1(body, keyAt, equals);
    if (key.includes('\0')) throw malformed(offset + at, 'a NUL byte in a key');
    const value = latin1(body, equals + 1, end - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparsePairs.push(value);
    else values.set(key, value);
    at = end;
  }
  return { values, sparsePairs };
}

function recordBounds(body: Uint8Array, start: number, offset: number): { keyAt: number; end: number } {
  let length = 0;
  let at = start;
  for (; at < body.length && body[at] !== SPACE; at += 1) {
    const digit = (body[at] ?? 0) - DIGIT_0;
    if (digit < 0 || digit > 9 || at - start > 9) throw malformed(offset + at, 'a record length that is no number');
    length = length * 10 + digit;
  }
  const end = start + length;
  if (end > body.length || end <= at + 2 || body[end - 1] !== NEWLINE) {
    throw malformed(offset + start, 'a record length that does not fit its record');
  }
  return { keyAt: at + 1, end };
}

function malformed(offset: number, what: string): AppcError {
  return new AppcError('ERR_RKT_APPC_TAR_PAX', `PAX header at offset ${offset} has ${what}`, { offset });
}

/** A non-negative decimal record such as `size` or `uid`; undefined if the record is absent or empty. */
export function paxInteger(pax: PaxRecords, key: string, offset: number): number | undefined {
  const text = pax.values.get(key);
  if (text === undefined || text === '') return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw badRecord(key, text, offset);
  return value;
}

/** A name record (`path`, `linkpath`); undefined if absent or empty, which stands for the header's own field. */
export function paxName(pax: PaxRecords, key: string, offset: number): ByteString | undefined {
  const text = pax.values.get(key);
  if (text === undefined || text === '') return undefined;
  if (text.includes('\0')) throw badRecord(key, text, offset);
  return text;
}

/** `mtime`: decimal seconds with a fraction of any length, of which nine digits count. Nanoseconds are never negative. */
export function paxTime(
  pax: PaxRecords,
  key: string,
  offset: number,
): { readonly seconds: number; readonly nanoseconds: number } | undefined {
  const text = pax.values.get(key);
  if (text === undefined || text === '') return undefined;
  const match = /^(-?)(\d{1,16})(?:\.(\d*))?$/.exec(text);
  const whole = Number(match?.[2] ?? Number.NaN);
  if (!Number.isSafeInteger(whole)) throw badRecord(key, text, offset);
  const fraction = Number((match?.[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match?.[1] !== '-') return { seconds: whole, nanoseconds: fraction };
  // `0 - whole` and not `-whole`: a negative zero would not survive being written and read again.
  return fraction === 0
    ? { seconds: 0 - whole, nanoseconds: 0 }
    : { seconds: 0 - whole - 1, nanoseconds: 1_000_000_000 - fraction };
}

function badRecord(key: string, text: string, offset: number): AppcError {
  return new AppcError('ERR_RKT_APPC_TAR_PAX', `PAX record ${key} is not valid: ${quoteUntrusted(text)}`, { offset });
}
