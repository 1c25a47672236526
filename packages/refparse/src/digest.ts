// SPDX-License-Identifier: Apache-2.0
import { isAlphanumeric, isDigit, isHex, isLowerHex, skipWhile } from './characters.ts';
import { quote, type ReferenceErrorCode, ReferenceSyntaxError } from './errors.ts';

/** The algorithms that are accepted unless others are asked for. */
export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';

/** A content digest: algorithm and hex digits, e.g. `sha256:` and 64 digits. OCI image spec, "Digests". */
export type Digest<A extends string = DigestAlgorithm> = `${A}:${string}`;

/** Which digests pass. A value that is handed over, so that no part of a program changes what another accepts. */
export interface DigestAlgorithms<A extends string = DigestAlgorithm> {
  /** How many hex digits a digest of each algorithm has; they are lower-case, so that there is one spelling of each. */
  readonly hexLengths: Readonly<Record<A, number>>;
  /**
   * `keep` lets well-formed digests of every other algorithm pass: at least 32 hex digits, in either case. They can be
   * shown and compared, not verified, and one digest may have two spellings.
   * @default refused with ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED
   */
  readonly unknown?: string extends A ? 'keep' : never;
}

/** Which digests a function accepts. */
export interface DigestOptions<A extends string = DigestAlgorithm> {
  /**
   * Extend the default with `{ hexLengths: { ...SHA2.hexLengths, blake3: 64 } }`, or take `ANY_ALGORITHM`.
   * @default SHA2
   */
  readonly algorithms?: DigestAlgorithms<A>;
}

/** sha256, sha384 and sha512. */
export const SHA2: DigestAlgorithms = { hexLengths: { sha256: 64, sha384: 96, sha512: 128 } };

/** SHA-2 as in `SHA2`, and whatever else is well-formed. */
export const ANY_ALGORITHM: DigestAlgorithms<string> = { hexLengths: SHA2.hexLengths, unknown: 'keep' };

/** Fewest hex digits of a digest of an unknown algorithm, as the distribution project has it: 128 bits. */
const MIN_UNKNOWN_DIGITS = 32;

/** What is wrong with a digest, if anything. `offset` counts from the start of the digest. */
export interface DigestFault {
  readonly code: ReferenceErrorCode;
  readonly reason: string;
  readonly offset: number;
}

/**
 * Checks a digest. Unless `algorithms` says otherwise, only SHA-2 digests of their full length in lower case pass: a
 * digest is used as a path and as an identity, so there is one spelling of each.
 *
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_DIGEST_INVALID, ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED
 */
export function parseDigest<A extends string = DigestAlgorithm>(
  input: string,
  options: DigestOptions<A> = {},
): Digest<A> {
  if (isDigest(input, options)) return input;
  const { code, reason, offset } = digestFault(input, options) ?? invalid('not a digest', 0);
  throw new ReferenceSyntaxError(code, `invalid digest ${quote(input)}: ${reason}`, { input, offset, reason });
}

/** True for a string `parseDigest` accepts. Never throws. */
export function isDigest<A extends string = DigestAlgorithm>(
  input: unknown,
  options: DigestOptions<A> = {},
): input is Digest<A> {
  return typeof input === 'string' && digestFault(input, options) === undefined;
}

/** The fault of `input` as a digest, or undefined. */
export function digestFault<A extends string>(input: string, options: DigestOptions<A> = {}): DigestFault | undefined {
  const colon = input.indexOf(':');
  if (colon <= 0) return invalid('expected algorithm:hex', 0);
  const algorithm = input.slice(0, colon);
  const bad = algorithmFault(algorithm);
  if (bad !== undefined) return invalid('its algorithm is not well-formed', bad);
  const { hexLengths, unknown }: DigestAlgorithms<string> | DigestAlgorithms<A> = options.algorithms ?? SHA2;
  const expected = new Map(Object.entries<number>(hexLengths)).get(algorithm);
  if (expected !== undefined) return hexFault(input, colon + 1, expected);
  const end = skipWhile(input, colon + 1, isHex);
  if (end < input.length || end - colon - 1 < MIN_UNKNOWN_DIGITS) {
    return invalid(`expected at least ${MIN_UNKNOWN_DIGITS} hex digits after the algorithm`, end);
  }
  if (unknown === 'keep') return undefined;
  const names = Object.keys(hexLengths);
  const reason = `the algorithm must be ${[names.slice(0, -1).join(', '), ...names.slice(-1)].filter(Boolean).join(' or ')}`;
  return { code: 'ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED', reason, offset: 0 };
}

/** Components that begin with a letter, joined by one of `+`, `.`, `_` and `-`. */
function algorithmFault(algorithm: string): number | undefined {
  let at = 0;
  for (;;) {
    const start = at;
    if (isDigit(algorithm.charCodeAt(at))) return at;
    at = skipWhile(algorithm, at, isAlphanumeric);
    if (at === start) return at;
    if (at === algorithm.length) return undefined;
    if (!'+._-'.includes(algorithm.charAt(at))) return at;
    at += 1;
  }
}

function hexFault(input: string, start: number, expected: number): DigestFault | undefined {
  const end = skipWhile(input, start, isLowerHex);
  if (end === input.length && end - start === expected) return undefined;
  const reason = `expected ${expected} lower-case hex digits after ${input.slice(0, start)}`;
  return invalid(reason, Math.min(end, start + expected));
}

function invalid(reason: string, offset: number): DigestFault {
  return { code: 'ERR_RKT_REFPARSE_DIGEST_INVALID', reason, offset };
}
