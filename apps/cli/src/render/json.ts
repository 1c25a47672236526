// SPDX-License-Identifier: Apache-2.0

export type JsonFormat = 'json' | 'json-pretty';

/** Data as JSON with a newline: on one line, or indented with tabs. JSON escapes whatever a terminal could act on but DEL and C1. */
export function renderJson(value: unknown, format: JsonFormat): string {
  const text = JSON.stringify(value, undefined, format === 'json-pretty' ? '\t' : undefined);
  return `${text.replace(/[\u007f-\u009f\u2028\u2029]/g, escaped)}\n`;
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The JSON format asked for by `--format`, if any. */
export function jsonFormat(value: string | undefined): JsonFormat | undefined {
  return value === 'json' || value === 'json-pretty' ? value : undefined;
}
