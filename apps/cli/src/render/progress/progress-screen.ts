// SPDX-License-Identifier: Apache-2.0
import type { ImageProgress, LayerPhase } from './image-progress.ts';
import { type LineStyle, layerLine, totalLine } from './progress-line.ts';

export interface ScreenStyle extends LineStyle {
  /** Lines of the terminal. */
  readonly height: number;
}

const UNDER_WAY: ReadonlySet<LayerPhase> = new Set(['download', 'verify', 'wait']);

/**
 * The lines that are to be seen of an image now: a line per layer that is under way, and the total. Never more than the
 * terminal has, less the one the cursor is on: what has left the screen cannot be drawn over.
 */
export function progressScreen(image: ImageProgress, style: ScreenStyle): readonly string[] {
  const layers = [...image.layers.values()].filter(({ phase }) => UNDER_WAY.has(phase));
  const total = totalLine(image, style);
  const below = total === undefined ? [] : [total];
  const room = Math.max(style.height - 1 - below.length, 0);
  const fitting = layers.length <= room ? layers : layers.slice(0, Math.max(room - 1, 0));
  const rest = layers.length - fitting.length;
  const more = rest === 0 || room === 0 ? [] : [`... and ${rest} more`.slice(0, Math.max(style.width - 1, 0))];
  return [...fitting.map((layer) => layerLine(layer, style)), ...more, ...below].slice(
    0,
    Math.max(style.height - 1, 0),
  );
}
