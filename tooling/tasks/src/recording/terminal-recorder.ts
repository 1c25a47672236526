// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import xterm from '@xterm/headless';
import { exited, start } from '../command.ts';
import type { Frame, Line, Run } from './terminal-svg.ts';

const FRAME_MS = 100;
/** Nobody wants to watch a pause. */
const LONGEST_PAUSE_MS = 1_500;
const END_OF_PATIENCE_MS = 60_000;

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** What is done while a command runs: wait for what it shows, then type. */
export interface Typing {
  readonly after: string;
  readonly keys: string;
}

/** A terminal on which commands run, and what is to be seen of it. */
export interface TerminalRecorder {
  /** Shows the command behind a prompt, and runs it on the terminal; rejects unless it ends with `status`. */
  run(command: readonly string[], options?: { readonly typing?: Typing; readonly status?: number }): Promise<void>;
  frames(): readonly Frame[];
}

export function createTerminalRecorder({ columns, rows }: TerminalSize): TerminalRecorder {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const frames: Frame[] = [];
  let seen = '';
  let last = performance.now();
  const write = (text: string): Promise<void> => new Promise((resolve) => terminal.write(text, resolve));
  const capture = (): void => {
    const lines = screenLines(terminal);
    const now = performance.now();
    const text = JSON.stringify(lines);
    if (text === seen) return;
    const at = frames.length === 0 ? 0 : (frames.at(-1)?.at ?? 0) + Math.min(Math.round(now - last), LONGEST_PAUSE_MS);
    frames.push({ at, lines });
    [seen, last] = [text, now];
  };
  return {
    frames: () => frames,
    run: async (command, { typing, status = 0 } = {}) => {
      await write(`# ${command.join(' ')}\r\n`);
      capture();
      await sleep(800);
      const timer = setInterval(capture, FRAME_MS);
      try {
        const line = `stty rows ${rows} cols ${columns}; exec ${command.map((word) => `'${word}'`).join(' ')}`;
        const child = start(['script', '-qefc', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
        const ended = exited(child);
        let output = '';
        child.stdout?.setEncoding('utf8').on('data', (text: string) => {
          output += text;
          terminal.write(text);
        });
        if (typing !== undefined) {
          const deadline = Date.now() + END_OF_PATIENCE_MS;
          while (!output.includes(typing.after) && child.exitCode === null && Date.now() < deadline)
            await sleep(FRAME_MS);
          await sleep(LONGEST_PAUSE_MS);
          child.stdin?.write(typing.keys);
        }
        const found = await ended;
        if (found !== status) throw new Error(`${command.join(' ')} ended with ${found}: ${output}`);
      } finally {
        clearInterval(timer);
      }
      await write('');
      capture();
    },
  };
}

function screenLines(terminal: xterm.Terminal): readonly Line[] {
  const { active } = terminal.buffer;
  const lines = Array.from({ length: terminal.rows }, (_, row) => runsOf(active.getLine(active.baseY + row)));
  return lines.slice(0, lines.findLastIndex((line) => line.length > 0) + 1);
}

function runsOf(line: xterm.IBufferLine | undefined): Line {
  const runs: Run[] = [];
  const width = line?.translateToString(true).length ?? 0;
  for (let column = 0; column < width; column += 1) {
    const cell = line?.getCell(column);
    const text = cell?.getChars() || ' ';
    const color = cell?.isFgPalette() === true ? cell.getFgColor() : undefined;
    const before = runs.at(-1);
    if (before !== undefined && before.color === color) runs[runs.length - 1] = { text: before.text + text, color };
    else runs.push({ text, color });
  }
  return runs;
}
