// SPDX-License-Identifier: Apache-2.0
import type { FlagValues } from '../args/flag.ts';

export type JsonFormat = 'json' | 'json-pretty';

/** What a terminal could act on and JSON does not escape: DEL, C1, line separators, and the marks that reorder text. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

/** Data as JSON with a newline: on one line, or indented with tabs. Safe to print, and the same data when it is read. */
export function renderJson(value: unknown, format: JsonFormat): string {
  const text = JSON.stringify(value, undefined, format === 'json-pretty' ? '\t' : undefined);
  return `${text.replace(UNSAFE, escaped)}\n`;
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The form of what is JSON in any case: as `--format` says, else `--pretty-print`. */
export function documentFormat(flags: FlagValues): JsonFormat {
  return jsonFormat(flags.text('format')) ?? (flags.boolean('pretty-print') ? 'json-pretty' : 'json');
}

/** The JSON format asked for by `--format`, if any. */
export function jsonFormat(value: string | undefined): JsonFormat | undefined {
  return value === 'json' || value === 'json-pretty' ? value : undefined;
}
