// SPDX-License-Identifier: Apache-2.0

const CODES = { cyan: 36, green: 32, yellow: 33 } as const;
const NO_COLOR = '\u001b[39m';

export type Color = keyof typeof CODES;

/**
 * Whether what is written may have colours: `NO_COLOR` says no to every program, `CLICOLOR_FORCE` yes also off a terminal,
 * `CLICOLOR=0` and a dumb terminal no.
 */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTTY: boolean): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['CLICOLOR_FORCE'] ?? '0') !== '0') return true;
  return isTTY && env['CLICOLOR'] !== '0' && env['TERM'] !== 'dumb';
}

/** Text in a colour, and what follows it without. */
export function paint(text: string, color: Color | undefined): string {
  return color === undefined ? text : `\u001b[${CODES[color]}m${text}${NO_COLOR}`;
}
