// SPDX-License-Identifier: Apache-2.0
import type { Output } from './io.ts';

const CLEAR_BELOW = '\u001b[J';
/** What has no width: of all sequences only colours are drawn. */
const COLORS = /\u001b\[[0-9;]*m/g;

export interface LiveLinesOptions {
  readonly write: (text: string) => void;
  readonly columns: () => number;
}

/**
 * Lines that stay at the bottom of a terminal while others are written above them. Every change is one write, so that
 * nothing half-drawn is seen; the cursor waits at the beginning of the line below.
 */
export function liveLines({ write, columns }: LiveLinesOptions): Pick<Output, 'write' | 'draw'> {
  let drawn: readonly string[] = [];
  const above = (): string => (drawn.length === 0 ? '' : `\u001b[${height(drawn, columns())}F${CLEAR_BELOW}`);
  return {
    write: (text) => {
      const whole = drawn.length === 0 || text === '' || text.endsWith('\n');
      write(`${above()}${text}${whole ? '' : '\n'}${joined(drawn)}`);
    },
    draw: (lines) => {
      if (joined(lines) === joined(drawn)) return;
      write(`${above()}${joined(lines)}`);
      drawn = [...lines];
    },
  };
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** Terminals break lines anew when they get narrower: what was one line may be several by now. */
function height(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(Math.ceil(line.replace(COLORS, '').length / columns), 1), 0);
}
