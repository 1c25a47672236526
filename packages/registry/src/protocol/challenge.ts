// SPDX-License-Identifier: Apache-2.0

/** One challenge of a `WWW-Authenticate` field. RFC 9110, section 11.6.1. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case; the first of two equal names counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_FIELD = 16_384;
const MAX_CHALLENGES = 32;

/**
 * The challenges of all `WWW-Authenticate` fields, in order. Total: what does not fit the grammar is skipped, so a
 * garbled field gives fewer challenges and never an error. Linear in the input, which is capped at 16 KiB per field.
 */
export function parseChallenges(fields: readonly string[]): readonly Challenge[] {
  return fields.flatMap((field) => scanField(field.slice(0, MAX_FIELD))).slice(0, MAX_CHALLENGES);
}

/** A read position in a field. */
interface Cursor {
  readonly text: string;
  at: number;
}

interface OpenChallenge {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
}

function scanField(text: string): Challenge[] {
  const cursor: Cursor = { text, at: 0 };
  const challenges: OpenChallenge[] = [];
  while (cursor.at < text.length) {
    skipSeparators(cursor);
    const name = readToken(cursor).toLowerCase();
    if (name === '') {
      skipElement(cursor);
    } else if (takeEquals(cursor)) {
      addParameter(challenges.at(-1), name, readValue(cursor));
    } else {
      challenges.push({ scheme: name, parameters: new Map() });
      skipToken68(cursor);
    }
  }
  return challenges;
}

function addParameter(challenge: OpenChallenge | undefined, name: string, value: string): void {
  if (challenge !== undefined && !challenge.parameters.has(name)) challenge.parameters.set(name, value);
}

function skipSeparators(cursor: Cursor): void {
  while (cursor.at < cursor.text.length && ' \t,'.includes(cursor.text.charAt(cursor.at))) cursor.at += 1;
}

function skipBlanks(cursor: Cursor): void {
  while (cursor.at < cursor.text.length && ' \t'.includes(cursor.text.charAt(cursor.at))) cursor.at += 1;
}

/** Skips what no rule reads, up to the next comma or blank; always moves. */
function skipElement(cursor: Cursor): void {
  if (cursor.at >= cursor.text.length) return;
  if (cursor.text.charAt(cursor.at) === '"') {
    readQuoted(cursor);
    return;
  }
  cursor.at += 1;
}

function readToken(cursor: Cursor): string {
  const start = cursor.at;
  while (cursor.at < cursor.text.length && isTokenUnit(cursor.text.charCodeAt(cursor.at))) cursor.at += 1;
  return cursor.text.slice(start, cursor.at);
}

/** RFC 9110, "tchar". */
function isTokenUnit(unit: number): boolean {
  const alphanumeric = (unit >= 0x30 && unit <= 0x39) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a);
  return alphanumeric || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(unit));
}

/** Takes a `=` with blanks around it; leaves the cursor where it was when there is none. */
function takeEquals(cursor: Cursor): boolean {
  const before = cursor.at;
  skipBlanks(cursor);
  if (cursor.text.charAt(cursor.at) !== '=') {
    cursor.at = before;
    return false;
  }
  cursor.at += 1;
  skipBlanks(cursor);
  return true;
}

function readValue(cursor: Cursor): string {
  if (cursor.text.charAt(cursor.at) === '"') return readQuoted(cursor);
  // Realms are sent unquoted in practice, so more than a token is taken: all up to a comma or a blank.
  const start = cursor.at;
  while (cursor.at < cursor.text.length && !' \t,"'.includes(cursor.text.charAt(cursor.at))) cursor.at += 1;
  return cursor.text.slice(start, cursor.at);
}

/** A quoted string; an unterminated one ends with the field. */
function readQuoted(cursor: Cursor): string {
  let value = '';
  cursor.at += 1;
  while (cursor.at < cursor.text.length) {
    const character = cursor.text.charAt(cursor.at);
    cursor.at += 1;
    if (character === '"') return value;
    if (character === '\\' && cursor.at < cursor.text.length) {
      value += cursor.text.charAt(cursor.at);
      cursor.at += 1;
    } else {
      value += character;
    }
  }
  return value;
}

/** Skips credentials-like data after a scheme (`Negotiate abc==`), which is no parameter. */
function skipToken68(cursor: Cursor): void {
  const match = /^[ \t]+[A-Za-z0-9\-._~+/]+={0,2}[ \t]*(?=,|$)/.exec(cursor.text.slice(cursor.at, cursor.at + 4096));
  if (match !== null && !/^[ \t]+[A-Za-z]+[ \t]*$/.test(match[0])) cursor.at += match[0].length;
}
