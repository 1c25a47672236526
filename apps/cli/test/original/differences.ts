// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

const document = readFileSync(new URL('../../../../docs/differences-from-rkt.md', import.meta.url), 'utf8');

/** The rows of the table below a heading of `docs/differences-from-rkt.md`, as the texts of their cells. */
export function differences(heading: string): readonly (readonly string[])[] {
  const section = document.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new TypeError(`docs/differences-from-rkt.md has no section "${heading}"`);
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map(cellsOf);
}

function cellsOf(line: string): readonly string[] {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** What a cell says as code: `a`, `b`. */
export function codeIn(cell: string): readonly string[] {
  return [...cell.matchAll(/``\s?(.*?)\s?``(?!`)|`([^`]+)`/g)].map(([, double, single]) => double ?? single ?? '');
}
