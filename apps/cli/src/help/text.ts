// SPDX-License-Identifier: Apache-2.0
import type { Page, Section } from './page.ts';

/** Wider lines are hard to read; narrower ones hold no words. */
const MAX_WIDTH = 120;
const MIN_WIDTH = 40;
const INDENT = 2;
const MAX_TERM = 32;

/** A page for a terminal of so many columns. */
export function renderText({ name, usage, summary, description, sections }: Page, columns: number): string {
  const width = Math.max(MIN_WIDTH, Math.min(columns, MAX_WIDTH));
  const paragraphs = [summary, ...description].flatMap((paragraph) => ['', ...wrap(paragraph, width)]);
  const lines = [`${name} ${usage}`.trimEnd(), ...paragraphs];
  for (const section of sections) lines.push('', `${section.title}:`, ...renderSection(section, width));
  return `${lines.join('\n')}\n`;
}

/** Terms to the left, what they are to the right; below a term that is too wide for that. */
function renderSection({ entries }: Section, width: number): readonly string[] {
  const widest = Math.max(...entries.map(({ term }) => (term.length <= MAX_TERM ? term.length : 0)));
  const column = INDENT + Math.max(widest, 8) + 2;
  const margin = ' '.repeat(column);
  return entries.flatMap(({ term, text }) => {
    const head = `${' '.repeat(INDENT)}${term}`;
    const lines = wrap(text, width - column).map((line) => margin + line);
    const [first = ''] = lines;
    if (head.length > column - 2) return [head, ...lines];
    return [head + first.slice(head.length), ...lines.slice(1)];
  });
}

/** Breaks a text between words; a word that is wider than a line has one of its own. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
