// SPDX-License-Identifier: Apache-2.0
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';

const MAX_WORD = 64;
/** Letters that may be wrong in a word: a third of them, and three at most. */
const MAX_DISTANCE = 3;

/** An error about a mistyped word, with what was probably meant where something is near. */
export function withSuggestion(error: CliError): CliError {
  const { code, message, mistyped, hint, cause } = error;
  const near = mistyped === undefined ? undefined : nearest(mistyped.word.replace(/^-+/, ''), mistyped.known);
  if (near === undefined) return error;
  const meant = mistyped?.word.startsWith('-') === true ? `--${near}` : quote(near);
  return new CliError(code, `${message} (did you mean ${meant}?)`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The known word that takes the fewest edits. Both must begin alike: in short words everything is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  const limit = Math.min(MAX_DISTANCE, Math.ceil(word.length / 3));
  const near = known
    .filter(([first]) => first === word[0])
    .map((candidate) => ({ candidate, edits: distance(word, candidate) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits);
  return near[0]?.candidate;
}

/** Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j));
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(i - 2, j - 2) + 1);
      const row = rows[i];
      if (row !== undefined) row[j] = least;
    }
  }
  return at(a.length, b.length);
}
