// SPDX-License-Identifier: Apache-2.0

/** Colours of a terminal's palette that programs of ours use, by their numbers; others are shown as plain text. */
const PALETTE: Readonly<Record<number, string>> = { 1: '#f47067', 2: '#8ddb8c', 3: '#daaa3f', 6: '#76e3ea' };
const TEXT = '#d1d7e0';
const BACKGROUND = '#1c2128';
const CHARACTER = { width: 8.4, height: 19 };
const MARGIN = 14;

/** Characters of one colour beside each other. */
export interface Run {
  readonly text: string;
  /** Of the palette; undefined: that of plain text. */
  readonly color: number | undefined;
}

export type Line = readonly Run[];

/** What is to be seen from a moment on, in milliseconds since the beginning. */
export interface Frame {
  readonly at: number;
  readonly lines: readonly Line[];
}

export interface Recording {
  readonly columns: number;
  readonly rows: number;
  /** At least one, in their order. */
  readonly frames: readonly Frame[];
  /** How long the last frame is shown before it begins again. */
  readonly holdMs: number;
  /** What it shows, for who cannot see it. */
  readonly title: string;
}

/**
 * A recording as an SVG that plays by itself, over and over; where nothing moves, its last frame is seen. The same recording
 * gives the same bytes. Lines that several frames have are in it once.
 */
export function terminalSvg({ columns, rows, frames, holdMs, title }: Recording): string {
  const width = Math.ceil(columns * CHARACTER.width + 2 * MARGIN);
  const height = rows * CHARACTER.height + 2 * MARGIN;
  const total = (frames.at(-1)?.at ?? 0) + holdMs;
  const names = new Map<string, string>();
  const bodies = frames.map(({ lines }) => lines.map((line, row) => placed(line, row, names)).join(''));
  const shown = frames.map(({ at }, index) => {
    const isLast = index === frames.length - 1;
    const until = frames[index + 1]?.at ?? total;
    return `<g visibility="${isLast ? 'visible' : 'hidden'}">${bodies[index]}${timing({ at, until, total })}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" xml:space="preserve">`,
    `<title>${escaped(title)}</title>`,
    `<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:${TEXT};white-space:pre}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>`,
    `<defs>${[...names].map(([body, name]) => `<g id="${name}">${body}</g>`).join('\n')}</defs>`,
    ...shown,
    '</svg>',
    '',
  ].join('\n');
}

function timing({ at, until, total }: { readonly at: number; readonly until: number; readonly total: number }): string {
  const [from, to] = [at, until].map((moment) => Number((moment / total).toFixed(4)));
  const values = at === 0 ? 'visible;hidden' : 'hidden;visible;hidden';
  const times = at === 0 ? `0;${to}` : `0;${from};${to}`;
  return `<animate attributeName="visibility" calcMode="discrete" dur="${total}ms" repeatCount="indefinite" values="${values}" keyTimes="${times}"/>`;
}

/** A line where it is seen, which is drawn once under a name; nothing for an empty one. */
function placed(line: Line, row: number, names: Map<string, string>): string {
  const body = drawn(line);
  if (body === '') return '';
  const name = names.get(body) ?? `l${names.size}`;
  names.set(body, name);
  return `<use href="#${name}" y="${row * CHARACTER.height}"/>`;
}

/** Every run has its place and length, so that columns meet whatever font there is. */
function drawn(line: Line): string {
  let column = 0;
  let text = '';
  for (const run of line) {
    const length = [...run.text].length;
    const fill = run.color === undefined ? undefined : PALETTE[run.color];
    const x = Number((MARGIN + column * CHARACTER.width).toFixed(1));
    const style = fill === undefined ? '' : ` style="fill:${fill}"`;
    const size = Number((length * CHARACTER.width).toFixed(1));
    if (run.text.trim() !== '')
      text += `<text x="${x}" y="${MARGIN + 14}" textLength="${size}"${style}>${escaped(run.text)}</text>`;
    column += length;
  }
  return text;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
