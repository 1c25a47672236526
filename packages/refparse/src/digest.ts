// SPDX-License-Identifier: Apache-2.0
import { isLowerHex, skipWhile } from './characters.ts';
import { quote, type ReferenceErrorCode, ReferenceSyntaxError } from './errors.ts';

/** A content digest: algorithm and lower-case hex, e.g. `sha256:` and 64 digits. OCI image spec, "Digests". */
export type Digest = `${'sha256' | 'sha384' | 'sha512'}:${string}`;

const HEX_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/** What is wrong with a digest, if anything. `offset` counts from the start of the digest. */
export interface DigestFault {
  readonly code: ReferenceErrorCode;
  readonly reason: string;
  readonly offset: number;
}

/**
 * Checks a digest. Only SHA-2 digests of their full length in lower case pass: a digest is used as a path and as an
 * identity, so there is one spelling of each.
 *
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_DIGEST_INVALID, ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED
 */
export function parseDigest(input: string): Digest {
  const fault = digestFault(input);
  if (fault === undefined && isDigest(input)) return input;
  const { code, reason, offset } = fault ?? {
    code: 'ERR_RKT_REFPARSE_DIGEST_INVALID',
    reason: 'not a digest',
    offset: 0,
  };
  throw new ReferenceSyntaxError(code, `invalid digest ${quote(input)}: ${reason}`, { input, offset, reason });
}

/** True for a string `parseDigest` accepts. Never throws. */
export function isDigest(input: unknown): input is Digest {
  return typeof input === 'string' && digestFault(input) === undefined;
}

/** The fault of `input` as a digest, or undefined. */
export function digestFault(input: string): DigestFault | undefined {
  const colon = input.indexOf(':');
  if (colon <= 0) {
    return { code: 'ERR_RKT_REFPARSE_DIGEST_INVALID', reason: 'expected algorithm:hex', offset: 0 };
  }
  const expected = HEX_LENGTHS.get(input.slice(0, colon));
  if (expected === undefined) {
    return {
      code: 'ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED',
      reason: 'the algorithm must be sha256, sha384 or sha512',
      offset: 0,
    };
  }
  const hexEnd = skipWhile(input, colon + 1, isLowerHex);
  const offset = Math.min(hexEnd, colon + 1 + expected);
  if (hexEnd === input.length && hexEnd - colon - 1 === expected) return undefined;
  return {
    code: 'ERR_RKT_REFPARSE_DIGEST_INVALID',
    reason: `expected ${expected} lower-case hex digits after ${input.slice(0, colon + 1)}`,
    offset,
  };
}
