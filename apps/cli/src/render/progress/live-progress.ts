// SPDX-License-Identifier: Apache-2.0
import type { Io } from '../../wiring/io.ts';
import { wantsColor } from '../color.ts';
import { advance, noProgress } from './image-progress.ts';
import type { ImageEvent, Progress } from './progress.ts';
import { type LineStyle, layerLine, summaryLine } from './progress-line.ts';
import { progressScreen } from './progress-screen.ts';

const REDRAW_MS = 100;
const BEGINNINGS: ReadonlySet<ImageEvent['type']> = new Set(['image:start', 'measure:start', 'download:start']);

/**
 * A line per layer on a terminal. Layers that are there scroll away above; those under way are drawn again below, at most
 * ten times a second, and also when nothing comes: that is to be seen, too. The cursor is never hidden, so that nothing
 * has to be put right when rkt is killed.
 */
export function createLiveProgress(io: Io): Progress {
  const { stderr } = io;
  const color = wantsColor(io.env, stderr.isTTY);
  let image = noProgress(io.now());
  let lastDraw = 0;
  let isOver = true;
  let watching: readonly Disposable[] = [];
  const style = (): LineStyle => ({ width: stderr.columns(), color, now: io.now() });
  const draw = (): void => {
    stderr.draw(progressScreen(image, { ...style(), height: stderr.rows() }));
    lastDraw = io.now();
  };
  const watch = (): void => {
    if (watching.length === 0) watching = [io.every(REDRAW_MS, draw), io.onResize(draw)];
  };
  const stop = (): void => {
    for (const each of watching) each[Symbol.dispose]();
    watching = [];
  };
  return {
    onEvent: (event) => {
      // What is called off may still have something to tell of a layer.
      if (isOver && !BEGINNINGS.has(event.type)) return;
      isOver = false;
      const before = image;
      image = advance(image, event, io.now());
      if (image === before) return;
      const line = finishedLine(event);
      if (line !== undefined) stderr.write(`${line}\n`);
      if (!event.type.endsWith(':bytes') || io.now() - lastDraw >= REDRAW_MS) draw();
      watch();
    },
    end: () => {
      stop();
      isOver = true;
      // What was not completed stays to be seen, once.
      const lines = progressScreen(image, { ...style(), height: stderr.rows() });
      image = noProgress(io.now());
      stderr.draw([]);
      if (lines.length > 0) stderr.write(lines.map((line) => `${line}\n`).join(''));
    },
  };

  function finishedLine(event: ImageEvent): string | undefined {
    if (event.type === 'image:done') return summaryLine(image, style());
    if (event.type === 'download:done') {
      const file = image.layers.get(event.url);
      return file === undefined ? undefined : layerLine(file, style());
    }
    if (event.type !== 'layer:done' && event.type !== 'layer:present' && event.type !== 'measure:done')
      return undefined;
    const layer = image.layers.get(event.digest);
    return layer === undefined || layer.measured ? undefined : layerLine(layer, style());
  }
}
