// SPDX-License-Identifier: Apache-2.0
import xterm from '@xterm/headless';

/** A terminal as people have one, to see what is seen. */
export interface Screen {
  write(text: string): Promise<void>;
  resize(columns: number, rows: number): void;
  /** All lines there are, those that have scrolled away included, without empty ones at the end. */
  lines(): readonly string[];
  cursor(): { readonly column: number; readonly line: number };
}

export function createScreen(columns: number, rows: number): Screen {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  return {
    write: (text) => new Promise((resolve) => terminal.write(text, resolve)),
    resize: (toColumns, toRows) => terminal.resize(toColumns, toRows),
    lines: () => {
      const { active } = terminal.buffer;
      const lines = Array.from({ length: active.length }, (_, at) => active.getLine(at)?.translateToString(true) ?? '');
      return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
    },
    cursor: () => {
      const { cursorX, cursorY, baseY } = terminal.buffer.active;
      return { column: cursorX, line: baseY + cursorY };
    },
  };
}
