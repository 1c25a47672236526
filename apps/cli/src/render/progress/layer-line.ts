// SPDX-License-Identifier: Apache-2.0
import { formatBytes } from '../bytes.ts';

/** A layer that comes in. Sizes in bytes, times in milliseconds since the epoch. */
export interface LayerState {
  readonly name: string;
  /** Why it comes in. @default 'Downloading' */
  readonly purpose?: 'Downloading' | 'Reading';
  /** What it is. @default 'layer' */
  readonly what?: string;
  readonly phase: 'download' | 'wait' | 'done';
  /** Undefined: nobody says. */
  readonly size: number | undefined;
  readonly received: number;
  readonly startedAt: number;
}

export interface LineStyle {
  readonly width: number;
  readonly color: boolean;
  readonly now: number;
}

const MIN_BAR = 10;
const MAX_BAR = 40;
const BAR_COLOR = '\u001b[36m';
const NO_COLOR = '\u001b[39m';

/** A layer on one line of a terminal: what it is, a bar where there is room, how much, how fast, how long yet. */
export function layerLine(layer: LayerState, { width, color, now }: LineStyle): string {
  const label = `${layer.purpose ?? 'Downloading'} ${layer.what ?? 'layer'}: ${layer.name}`.trimEnd();
  const numbers = numbersOf(layer, now);
  // The last column stays empty: a terminal may begin a new line after it.
  const room = width - 1 - label.length - numbers.length - 4;
  if (layer.phase === 'wait' || layer.size === undefined || room < MIN_BAR)
    return `${label} ${numbers}`.slice(0, Math.max(width - 1, 0));
  const bar = barOf(fraction(layer), Math.min(room, MAX_BAR));
  return `${label} [${color ? `${BAR_COLOR}${bar}${NO_COLOR}` : bar}] ${numbers}`;
}

function fraction({ received, size = 0 }: LayerState): number {
  return size === 0 ? 1 : Math.min(received / size, 1);
}

function barOf(part: number, width: number): string {
  const filled = Math.floor(part * width);
  const head = filled < width ? '>' : '';
  return `${'='.repeat(filled)}${head}`.padEnd(width);
}

function numbersOf(layer: LayerState, now: number): string {
  if (layer.phase === 'wait') return 'waiting for another rkt that downloads it';
  if (layer.size === undefined) return `${formatBytes(layer.received)} of an unknown total size`;
  const amount = `${formatBytes(layer.received)} / ${formatBytes(layer.size)}`;
  const seconds = (now - layer.startedAt) / 1000;
  if (layer.phase === 'done' || seconds < 0.5 || layer.received === 0) return amount;
  const rate = layer.received / seconds;
  const left = Math.ceil(Math.max(layer.size - layer.received, 0) / rate);
  return `${amount}  ${formatBytes(rate)}/s  ETA ${remaining(left)}`;
}

function remaining(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}
