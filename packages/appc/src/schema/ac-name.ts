// SPDX-License-Identifier: Apache-2.0
import { AppcError, quoteUntrusted } from '../errors.ts';

/**
 * Whether `text` may stand where appc wants an AC Name (spec 0.8.11, "AC Name Type"). As in every implementation only the
 * character set and the first and last character are checked: runs such as `a--b` pass.
 */
export function isAcName(text: string): boolean {
  return isWithin(text, /^[a-z0-9-]+$/);
}

/** The same for an AC Identifier, which may also hold `.`, `_`, `~` and `/`. */
export function isAcIdentifier(text: string): boolean {
  return isWithin(text, /^[a-z0-9\-._~/]+$/);
}

/**
 * The AC Name nearest to `text`: lower-case, other characters become `-`, none are left at the edges.
 *
 * @throws AppcError `ERR_RKT_APPC_NAME` if nothing is left.
 */
export function sanitizeAcName(text: string): string {
  return trimmed(text.toLowerCase().replace(/[^a-z0-9-]/gu, '-'), text);
}

/**
 * The AC Identifier nearest to `text`: lower-case, other characters become `_`, separators go from the edges.
 *
 * @throws AppcError `ERR_RKT_APPC_NAME` if nothing is left.
 */
export function sanitizeAcIdentifier(text: string): string {
  return trimmed(text.toLowerCase().replace(/[^a-z0-9\-._~/]/gu, '_'), text);
}

function isWithin(text: string, characters: RegExp): boolean {
  return characters.test(text) && isAlphanumeric(text[0]) && isAlphanumeric(text.at(-1));
}

function isAlphanumeric(character: string | undefined): boolean {
  return character !== undefined && /[a-z0-9]/.test(character);
}

/** By hand and not by a pattern: one anchored at the end takes quadratic time on a long run of separators. */
function trimmed(text: string, original: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && !isAlphanumeric(text[start])) start += 1;
  while (end > start && !isAlphanumeric(text[end - 1])) end -= 1;
  if (start === end) {
    throw new AppcError('ERR_RKT_APPC_NAME', `no name can be made of ${quoteUntrusted(original)}`);
  }
  return text.slice(start, end);
}
