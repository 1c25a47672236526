// SPDX-License-Identifier: Apache-2.0
import { type Digest, type DigestAlgorithm, isDigest, parseDigest, SHA2 } from './digest.ts';
import { formatReference } from './format.ts';
import { isHexId } from './grammar.ts';
import { type ParseOptions, parseReference } from './parse.ts';
import type { Reference } from './reference.ts';

/** A reference with a name, or a digest alone. */
export type AnyReference<A extends string = DigestAlgorithm> =
  | { readonly kind: 'name'; readonly reference: Reference<A> }
  | { readonly kind: 'digest'; readonly digest: Digest<A | 'sha256'> };

/**
 * Reads what may also be a digest without a name: 64 hex digits are a sha256 digest, `sha256:...` is itself, everything
 * else is read by `parseReference`. Digests of algorithms that are not listed are names with a tag here, whatever
 * `algorithms` keeps: `md5:...` is the image md5.
 *
 * @throws {ReferenceSyntaxError} as parseReference does, but for NAME_IS_HEX_ID
 */
export function parseAnyReference<A extends string = DigestAlgorithm>(
  input: string,
  options: ParseOptions<A> = {},
): AnyReference<A> {
  if (isHexId(input)) return { kind: 'digest', digest: parseDigest(`sha256:${input}`, { algorithms: SHA256 }) };
  const listed =
    options.algorithms === undefined ? options : { algorithms: { hexLengths: options.algorithms.hexLengths } };
  if (isDigest(input, listed)) return { kind: 'digest', digest: input };
  return { kind: 'name', reference: parseReference(input, options) };
}

const SHA256 = { hexLengths: { sha256: SHA2.hexLengths.sha256 } };

/** The canonical spelling of a reference, or the digest. */
export function formatAnyReference(reference: AnyReference<string>): string {
  return reference.kind === 'digest' ? reference.digest : formatReference(reference.reference);
}
