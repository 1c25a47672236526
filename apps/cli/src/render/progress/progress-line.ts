// SPDX-License-Identifier: Apache-2.0
import { formatBytes } from '../bytes.ts';
import { type Color, paint } from '../color.ts';
import type { ImageProgress, LayerPhase, LayerProgress } from './image-progress.ts';
import { totalOf } from './image-progress.ts';
import { type Meter, rateOf } from './meter.ts';

/** How a line is to be. */
export interface LineStyle {
  /** Columns of the terminal. */
  readonly width: number;
  readonly color: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const MIN_BAR = 10;
const MAX_BAR = 40;
/** `abababababab: Downloading`: bars begin in one column, and end in one. */
const LABEL = 25;
const NUMBERS = '1023MiB / 1023MiB  1023MiB/s  ETA 59m59s'.length;

const WORDS: Readonly<Record<LayerPhase, string>> = {
  queued: 'Queued',
  download: 'Downloading',
  verify: 'Verifying',
  wait: 'Waiting',
  done: 'Downloaded',
  present: 'Present',
};
/** Of what does not come over a network. */
const COPIED: Readonly<Partial<Record<LayerPhase, string>>> = { download: 'Copying', done: 'Copied' };
const COLORS: Readonly<Partial<Record<LayerPhase, Color>>> = { wait: 'yellow', done: 'green', present: 'green' };

/** A layer on one line of a terminal: what becomes of it, a bar where there is room, how much, how fast, how long yet. */
export function layerLine(layer: LayerProgress, style: LineStyle): string {
  const { name, phase, size, meter } = layer;
  const label = `${name}: ${wordFor(layer)}`;
  const tint = COLORS[phase];
  switch (phase) {
    case 'wait':
      return plain(label, { text: 'for another rkt that downloads it', tint, style });
    case 'present':
      return plain(label, { text: 'already in the store', tint, style });
    case 'done':
      return plain(label, { text: formatBytes(size ?? meter.received), tint, style });
    case 'queued':
    case 'verify':
      return withBar(label, { numbers: amount(meter.received, size), part: fraction(meter.received, size), style });
    case 'download':
      return withBar(label, {
        numbers: numbersOf(meter, size, style.now),
        part: fraction(meter.received, size),
        style,
      });
  }
}

function wordFor({ phase, measured, isCopied }: LayerProgress): string {
  if (measured && phase === 'download') return 'Reading';
  return (isCopied ? COPIED[phase] : undefined) ?? WORDS[phase];
}

/** All layers of an image on one line; undefined where that says nothing that theirs do not. */
export function totalLine(image: ImageProgress, style: LineStyle): string | undefined {
  const { received, size, layers, complete } = totalOf(image);
  if (image.phase === 'hashing') return plain('Converting', { text: 'computing the image ID', tint: undefined, style });
  if (image.phase === 'done' || layers < 2 || complete === layers) return undefined;
  const numbers = numbersOf(image.meter, size, style.now);
  return withBar(`Total: ${complete} of ${layers} layers`, { numbers, part: fraction(received, size), style });
}

/** What has come, when all of it has; undefined if nothing had to. */
export function summaryLine(image: ImageProgress, { width, color, now }: LineStyle): string | undefined {
  const { received, layers, present } = totalOf(image);
  if (layers === present) return undefined;
  const seconds = Math.max(now - image.meter.startedAt, 1) / 1000;
  const took = seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds).toFixed(0);
  const shared = present === 0 ? '' : `, ${present} already in the store`;
  const all = `${layers} ${layers === 1 ? 'layer' : 'layers'}${shared}`;
  const line = `Done: ${all}; ${formatBytes(received)} in ${took}s (${formatBytes(received / seconds)}/s)`;
  return line.length < width ? line.replace('Done', paint('Done', color ? 'green' : undefined)) : cut(line, width);
}

interface Plain {
  readonly text: string;
  readonly tint: Color | undefined;
  readonly style: LineStyle;
}

function plain(label: string, { text, tint, style: { width, color } }: Plain): string {
  const padded = label.padEnd(LABEL);
  const line = `${padded} ${text}`;
  if (line.length < width) return `${paint(padded, color ? tint : undefined)} ${text}`;
  return cut(`${label} ${text}`, width);
}

interface Bar {
  readonly numbers: string;
  /** Undefined: nobody knows of how much. */
  readonly part: number | undefined;
  readonly style: LineStyle;
}

function withBar(label: string, { numbers, part, style }: Bar): string {
  const { width, color } = style;
  if (part === undefined) return plain(label, { text: numbers, tint: undefined, style });
  // The last column stays empty: a terminal may begin a new line after it.
  const room = width - 1 - LABEL - NUMBERS - ' [] '.length;
  if (room < MIN_BAR) return cut(`${label} ${numbers}`, width);
  const bar = barOf(part, Math.min(room, MAX_BAR));
  return `${label.padEnd(LABEL)} [${paint(bar, color ? 'cyan' : undefined)}] ${numbers}`;
}

function cut(line: string, width: number): string {
  return line.slice(0, Math.max(width - 1, 0));
}

function fraction(received: number, size: number | undefined): number | undefined {
  if (size === undefined) return undefined;
  return size === 0 ? 1 : Math.min(received / size, 1);
}

function barOf(part: number, width: number): string {
  const filled = Math.floor(part * width);
  const head = filled < width ? '>' : '';
  return `${'='.repeat(filled)}${head}`.padEnd(width);
}

function numbersOf(meter: Meter, size: number | undefined, now: number): string {
  const numbers = amount(meter.received, size);
  const rate = rateOf(meter, now);
  if (rate === undefined) return numbers;
  if (rate === 0) return `${numbers}  stalled`;
  if (size === undefined) return `${numbers}  ${formatBytes(rate)}/s`;
  const left = Math.ceil(Math.max(size - meter.received, 0) / rate);
  return `${numbers}  ${formatBytes(rate)}/s  ETA ${remaining(left)}`;
}

function amount(received: number, size: number | undefined): string {
  if (size === undefined) return formatBytes(received);
  return `${formatBytes(received)} / ${formatBytes(size)}`;
}

function remaining(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 100 ? `${hours}h${String(minutes % 60).padStart(2, '0')}m` : 'days';
}
