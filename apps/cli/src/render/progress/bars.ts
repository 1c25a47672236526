// SPDX-License-Identifier: Apache-2.0
import type { Io } from '../../wiring/io.ts';
import { type LayerState, layerLine } from './layer-line.ts';
import { hexOf, type ImageEvent, type Progress } from './progress.ts';

const REDRAW_MS = 100;
const CLEAR_BELOW = '\u001b[J';
const ENDS: ReadonlySet<ImageEvent['type']> = new Set(['layer:done', 'layer:present', 'measure:done', 'download:done']);

/**
 * A line per layer on a terminal. Layers that are done scroll away above, those under way are drawn again below, at most
 * ten times a second; a line is never wider than the terminal, so moving up by lines always finds the first of them.
 */
export function createBars(io: Io): Progress {
  const active = new Map<string, LayerState>();
  let drawn = 0;
  let lastDraw = 0;
  const draw = (finished: readonly string[]): void => {
    const width = io.stderr.columns();
    const color = (io.env['NO_COLOR'] ?? '') === '';
    const lines = [...active.values()].map((layer) => layerLine(layer, { width, color, now: io.now() }));
    const up = drawn === 0 ? '' : `\u001b[${drawn}F`;
    io.stderr.write(`${up}${CLEAR_BELOW}${[...finished, ...lines].map((line) => `${line}\n`).join('')}`);
    drawn = lines.length;
    lastDraw = io.now();
  };
  const finish = (key: string): void => {
    const layer = active.get(key);
    if (layer === undefined) return;
    active.delete(key);
    const done = { ...layer, received: layer.size ?? layer.received, phase: 'done' as const };
    draw([layerLine(done, { width: io.stderr.columns(), color: false, now: io.now() })]);
  };
  return {
    onEvent: (event) => {
      if (ENDS.has(event.type) && ('digest' in event || 'url' in event)) return finish(keyOf(event));
      if (!update(active, event, io.now())) return;
      if (!event.type.endsWith(':bytes') || io.now() - lastDraw >= REDRAW_MS) draw([]);
    },
    end: () => {
      if (active.size > 0) draw([]);
      active.clear();
      drawn = 0;
    },
  };
}

/** What an event is about. */
function keyOf(event: ImageEvent): string {
  if ('url' in event) return event.url;
  return 'digest' in event ? event.digest : '';
}

/** Takes an event in; says whether anything changed. */
function update(active: Map<string, LayerState>, event: ImageEvent, now: number): boolean {
  switch (event.type) {
    case 'layer:start':
      active.set(event.digest, state(event.digest, { size: event.size, phase: 'download', startedAt: now }));
      return true;
    case 'measure:start': {
      const about = { size: event.size, phase: 'download', startedAt: now } as const;
      active.set(event.digest, { ...state(event.digest, about), purpose: 'Reading' });
      return true;
    }
    case 'download:start': {
      const about = { size: event.size, phase: 'download', startedAt: now } as const;
      active.set(event.url, { name: '', what: event.what, received: 0, ...about });
      return true;
    }
    case 'layer:wait':
      active.set(event.digest, state(event.digest, { size: 0, phase: 'wait', startedAt: now }));
      return true;
    case 'download:bytes':
    case 'measure:bytes':
    case 'layer:bytes': {
      const layer = active.get(keyOf(event));
      if (layer !== undefined) active.set(keyOf(event), { ...layer, received: event.received });
      return layer !== undefined;
    }
    default:
      return false;
  }
}

function state(digest: string, about: Pick<LayerState, 'size' | 'phase' | 'startedAt'>): LayerState {
  return { name: hexOf(digest).slice(0, 12), received: 0, ...about };
}
