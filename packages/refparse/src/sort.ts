// SPDX-License-Identifier: Apache-2.0
import { type AnyReference, formatAnyReference, parseAnyReference } from './any-reference.ts';
import type { DigestAlgorithm } from './digest.ts';
import { isReferenceSyntaxError } from './errors.ts';
import type { ParseOptions } from './parse.ts';

/**
 * The canonical spellings of `inputs`, those that say most first: name with tag and digest, with a tag, with a digest,
 * name alone, digest alone; then what is no reference, as written. Within each group by code points. No tag is added
 * unless `defaultTag` is given. Takes n log n comparisons.
 */
export function sortReferences<A extends string = DigestAlgorithm>(
  inputs: readonly string[],
  options: ParseOptions<A> = {},
): string[] {
  const ranked = inputs.map((input): Ranked => {
    try {
      const parsed = parseAnyReference(input, { defaultTag: false, ...options });
      return { rank: rankOf(parsed), text: formatAnyReference(parsed) };
    } catch (error) {
      if (!isReferenceSyntaxError(error)) throw error;
      return { rank: RANK_INVALID, text: input };
    }
  });
  return ranked.sort(compareRanked).map(({ text }) => text);
}

/** The order of `sortReferences`, for `Array.prototype.sort`: negative when `a` comes first. */
export function compareReferences(a: AnyReference<string>, b: AnyReference<string>): number {
  return compareRanked(
    { rank: rankOf(a), text: formatAnyReference(a) },
    { rank: rankOf(b), text: formatAnyReference(b) },
  );
}

const RANK_INVALID = 6;

interface Ranked {
  readonly rank: number;
  readonly text: string;
}

function rankOf(any: AnyReference<string>): number {
  if (any.kind === 'digest') return 5;
  const { tag, digest } = any.reference;
  if (tag === undefined) return digest === undefined ? 4 : 3;
  return digest === undefined ? 2 : 1;
}

function compareRanked(a: Ranked, b: Ranked): number {
  return a.rank - b.rank || compareCodePoints(a.text, b.text);
}

/** As bytes of UTF-8 compare; UTF-16 units order surrogates before U+E000. */
function compareCodePoints(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === shorter) return a.length - b.length;
  return (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0);
}
