// SPDX-License-Identifier: Apache-2.0
import { quote, ReferenceSyntaxError } from './errors.ts';
import { formatFamiliarInFull } from './format.ts';
import type { Reference } from './reference.ts';

/** Bounds the work: at most this by the longest reference, a million steps. */
const MAX_PATTERN = 1024;
/** Longer than anything that parses. */
const MAX_TEXT = 1100;

/**
 * Whether a reference matches a shell pattern as `docker images --filter reference=...` has it: against its familiar
 * form with tag and digest, or against its familiar name alone. `*` is any run without `/`, `?` any character but `/`,
 * `[a-z]` and `[^a-z]` one of a class, `\` makes the next character ordinary. A run is ended at the first place where
 * the rest up to the next `*` fits, and that is not reconsidered: the matching of Go's `path.Match`.
 *
 * @example
 * matchFamiliar('ngin?', parseReference('nginx:1'));     // true
 * matchFamiliar('quay.io/*', parseReference('quay.io/a/b')); // false
 *
 * @throws {ReferenceSyntaxError} ERR_RKT_REFPARSE_PATTERN_INVALID: not well-formed, or longer than 1024 characters
 */
export function matchFamiliar(pattern: string, reference: Reference<string>): boolean {
  const pieces = readPattern(pattern);
  const name = { ...reference, tag: undefined, digest: undefined };
  return [reference, name].some((each) => {
    const text = formatFamiliarInFull(each);
    return text.length <= MAX_TEXT && matches(pieces, toCodePoints(text));
  });
}

type Item =
  | { readonly kind: 'point'; readonly point: number }
  | { readonly kind: 'not-slash' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** Items of fixed length, after any run of characters when `star`. */
interface Piece {
  readonly star: boolean;
  readonly items: readonly Item[];
}

const SLASH = 0x2f;
const HYPHEN = 0x2d;
const CARET = 0x5e;
const CLOSE = 0x5d;
const BACKSLASH = 0x5c;
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;

function readPattern(pattern: string): readonly Piece[] {
  if (pattern.length > MAX_PATTERN) refuse(pattern, `longer than ${MAX_PATTERN} characters`, MAX_PATTERN);
  const points = toCodePoints(pattern);
  const pieces: { star: boolean; items: Item[] }[] = [{ star: false, items: [] }];
  let at = 0;
  while (at < points.length) {
    if (points[at] === STAR) {
      if (pieces.at(-1)?.star !== true || pieces.at(-1)?.items.length !== 0) pieces.push({ star: true, items: [] });
      at += 1;
    } else {
      const read = readItem(pattern, points, at);
      pieces.at(-1)?.items.push(read.value);
      at = read.end;
    }
  }
  return pieces;
}

interface Read<T> {
  readonly value: T;
  readonly end: number;
}

function readItem(pattern: string, points: readonly number[], at: number): Read<Item> {
  switch (points[at]) {
    case QUESTION:
      return { value: { kind: 'not-slash' }, end: at + 1 };
    case OPEN:
      return readClass(pattern, points, at + 1);
    default: {
      const { value: point, end } = readEscaped(pattern, points, at);
      return { value: { kind: 'point', point }, end };
    }
  }
}

function readClass(pattern: string, points: readonly number[], start: number): Read<Item> {
  const negated = points[start] === CARET;
  const ranges: [number, number][] = [];
  let at = negated ? start + 1 : start;
  while (ranges.length === 0 || points[at] !== CLOSE) {
    const low = readBound(pattern, points, at);
    const high = points[low.end] === HYPHEN ? readBound(pattern, points, low.end + 1) : low;
    ranges.push([low.value, high.value]);
    at = high.end;
  }
  return { value: { kind: 'class', negated, ranges }, end: at + 1 };
}

function readBound(pattern: string, points: readonly number[], at: number): Read<number> {
  if (points[at] === HYPHEN || points[at] === CLOSE) refuse(pattern, 'a class needs characters here', at);
  const read = readEscaped(pattern, points, at);
  if (read.end >= points.length) refuse(pattern, 'a class is not closed', read.end);
  return read;
}

function readEscaped(pattern: string, points: readonly number[], at: number): Read<number> {
  const place = points[at] === BACKSLASH ? at + 1 : at;
  const value = points[place];
  if (value === undefined) return refuse(pattern, 'it ends too early', place);
  return { value, end: place + 1 };
}

function matches(pieces: readonly Piece[], text: readonly number[]): boolean {
  let at = 0;
  for (const [index, { star, items }] of pieces.entries()) {
    const isLast = index === pieces.length - 1;
    if (star && items.length === 0) return text.indexOf(SLASH, at) < 0;
    const end = findPiece({ star, items, isLast }, text, at);
    if (end === undefined) return false;
    at = end;
  }
  return at === text.length;
}

function findPiece(piece: Piece & { readonly isLast: boolean }, text: readonly number[], from: number) {
  for (let start = from; start <= text.length; start += 1) {
    const end = start + piece.items.length;
    const fits = end <= text.length && piece.items.every((item, index) => fitsItem(item, text[start + index] ?? 0));
    if (fits && (!piece.isLast || end === text.length)) return end;
    if (!piece.star || text[start] === SLASH) return undefined;
  }
  return undefined;
}

function fitsItem(item: Item, point: number): boolean {
  switch (item.kind) {
    case 'point':
      return item.point === point;
    case 'not-slash':
      return point !== SLASH;
    case 'class':
      return item.ranges.some(([low, high]) => low <= point && point <= high) !== item.negated;
  }
}

function toCodePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** `point` counts code points. */
function refuse(pattern: string, reason: string, point: number): never {
  const offset = Array.from(pattern).slice(0, point).join('').length;
  const message = `invalid pattern ${quote(pattern)}: ${reason}`;
  throw new ReferenceSyntaxError('ERR_RKT_REFPARSE_PATTERN_INVALID', message, { input: pattern, offset, reason });
}
