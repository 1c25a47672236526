// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Digest } from '@rkt/refparse';
import { RegistryError } from '../errors.ts';

/** The digest of bytes, with the algorithm of `like`. */
export function digestOf(bytes: Uint8Array, like: Digest | 'sha256'): string {
  const algorithm = algorithmOf(like);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** `sha256`, `sha384` or `sha512`: the grammar of a digest admits no other. */
export function algorithmOf(digest: string): string {
  const colon = digest.indexOf(':');
  return colon < 0 ? digest : digest.slice(0, colon);
}

/** What was expected of which bytes. */
export interface DigestExpectation {
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  readonly origin: string;
}

export function digestMismatch(context: DigestExpectation): RegistryError {
  const { what, expected, actual, origin } = context;
  const text = `digest mismatch for ${what} from ${origin}: expected ${expected}, got ${actual}`;
  return new RegistryError('ERR_RKT_REGISTRY_DIGEST_MISMATCH', text, { origin, reference: what, expected, actual });
}

export function sizeMismatch(what: string, origin: string, expected: number, actual: number): RegistryError {
  const text = `size mismatch for ${what} from ${origin}: expected ${expected} bytes, got ${actual}`;
  return new RegistryError('ERR_RKT_REGISTRY_SIZE_MISMATCH', text, { origin, reference: what, expected, actual });
}
