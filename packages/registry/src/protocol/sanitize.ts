// SPDX-License-Identifier: Apache-2.0

const DEFAULT_MAX = 300;

/**
 * Text from elsewhere, fit for a terminal and a log line: C0, C1, DEL, line separators, bidirectional controls and lone
 * surrogates become `\u{..}` escapes, and no more than `max` characters are kept.
 */
export function sanitize(text: string, max: number = DEFAULT_MAX): string {
  let out = '';
  let kept = 0;
  for (const character of text) {
    if (kept === max) return `${out}...`;
    const point = character.codePointAt(0) ?? 0;
    out += isUnsafe(point) ? `\\u{${point.toString(16)}}` : character;
    kept += 1;
  }
  return out;
}

function isUnsafe(point: number): boolean {
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return true;
  if (point >= 0xd800 && point <= 0xdfff) return true;
  return isBidirectional(point) || point === 0x2028 || point === 0x2029 || point === 0xfeff;
}

function isBidirectional(point: number): boolean {
  return (
    point === 0x061c ||
    (point >= 0x200b && point <= 0x200f) ||
    (point >= 0x202a && point <= 0x202e) ||
    (point >= 0x2060 && point <= 0x2069)
  );
}

/** A URL without what may be secret: user, password, query (signed URLs) and fragment. */
export function redactUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?...'}`;
}
