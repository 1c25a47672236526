// SPDX-License-Identifier: Apache-2.0
import { oneLine } from './quote.ts';

const TAB_WIDTH = 8;

/**
 * Renders rows as Go's text/tabwriter does with tabs for padding: every column but the last is as wide as its widest
 * cell and one more, rounded up to a tab stop. Rows have the same number of cells.
 */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(oneLine));
  const widths: number[] = [];
  for (const row of cells) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, stops(lengthOf(cell) + 1));
    });
  }
  return cells
    .map((row) => `${row.map((cell, column) => padded(cell, column, row.length, widths)).join('')}\n`)
    .join('');
}

function padded(cell: string, column: number, count: number, widths: readonly number[]): string {
  if (column === count - 1) return cell;
  const missing = (widths[column] ?? 0) * TAB_WIDTH - lengthOf(cell);
  return cell + '\t'.repeat(stops(missing));
}

function stops(characters: number): number {
  return Math.ceil(characters / TAB_WIDTH);
}

function lengthOf(text: string): number {
  return [...text].length;
}
