// SPDX-License-Identifier: Apache-2.0

const MAX_LINE = 1000;
const MAX_QUOTED = 160;

/** Control characters, line separators, and the marks that reorder text: what a terminal could be made to act on. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]+/g;

/** Text of unknown origin as one line that is safe to print. At most 1000 characters. */
export function oneLine(text: string): string {
  const clean = text.replace(UNSAFE, ' ');
  return clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE - 3)}...` : clean;
}

/** Text of unknown origin for a message: safe, capped, in double quotes unless told otherwise. */
export function quote(text: string, options: { readonly marks?: boolean } = {}): string {
  const clean = text.replace(UNSAFE, (found) => {
    return [...found].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  });
  const shown = clean.length > MAX_QUOTED ? `${clean.slice(0, MAX_QUOTED)}...` : clean;
  return (options.marks ?? true) ? `"${shown}"` : shown;
}
