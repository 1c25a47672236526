// SPDX-License-Identifier: Apache-2.0

import { type Meter, startMeter, tick } from './meter.ts';
import { hexOf, type ImageEvent, type LayerSource } from './progress.ts';

/** `verify`: every byte is there, and what they hold is not known to be right yet. */
export type LayerPhase = 'queued' | 'download' | 'verify' | 'wait' | 'done' | 'present';

/** How far a layer has come. Sizes in bytes. */
export interface LayerProgress {
  /** Enough of its digest to tell it from the others. */
  readonly name: string;
  /** It is only looked through, and will come in later. */
  readonly measured: boolean;
  /** It is a file of its own, an ACI or a signature, and no layer. */
  readonly isFile: boolean;
  /** It comes from this machine. */
  readonly isCopied: boolean;
  readonly phase: LayerPhase;
  /** Undefined: nobody says. */
  readonly size: number | undefined;
  readonly meter: Meter;
}

/** How far an image has come: its layers by their digests and files by their URLs, in the order in which they were heard of. */
export interface ImageProgress {
  readonly phase: 'layers' | 'hashing' | 'done';
  readonly source: LayerSource;
  readonly layers: ReadonlyMap<string, LayerProgress>;
  readonly meter: Meter;
}

/** What is known before anything has happened. Times are milliseconds since the epoch. */
export function noProgress(now: number): ImageProgress {
  return { phase: 'layers', source: 'registry', layers: new Map(), meter: startMeter(now) };
}

/** What is known after an event; the same object where that changes nothing. */
export function advance(image: ImageProgress, event: ImageEvent, now: number): ImageProgress {
  switch (event.type) {
    case 'image:start': {
      const { source } = event;
      // Of layers that hold the same, one is fetched.
      const unique = [...new Map(event.layers.map((layer) => [layer.diffId, layer])).values()];
      const layers = unique.map(
        ({ digest, size }) => [digest, layerOf(digest, { phase: 'queued', size, now, source })] as const,
      );
      return { ...noProgress(now), source, layers: new Map(layers) };
    }
    case 'measure:start':
    case 'layer:start': {
      const layer = layerOf(event.digest, { phase: 'download', size: event.size, now, source: image.source });
      return withLayer(image, event.digest, { ...layer, measured: event.type === 'measure:start' }, now);
    }
    case 'download:start': {
      const file = layerOf(event.url, { phase: 'download', size: event.size, now, source: 'registry' });
      return withLayer(image, event.url, { ...file, name: event.what, isFile: true }, now);
    }
    case 'download:bytes':
      return change(image, event.url, now, (file) => ({ ...file, meter: tick(file.meter, event.received, now) }));
    case 'download:done':
      return change(image, event.url, now, (file) => ({ ...file, phase: 'done', size: file.meter.received }));
    case 'measure:bytes':
    case 'layer:bytes': {
      const { digest, received } = event;
      const phase = event.type === 'layer:bytes' && received >= event.size ? 'verify' : 'download';
      return change(image, digest, now, (layer) => ({ ...layer, phase, meter: tick(layer.meter, received, now) }));
    }
    case 'layer:wait':
      return change(image, event.digest, now, (layer) => ({ ...layer, phase: 'wait' }));
    case 'layer:present':
      return change(image, event.digest, now, (layer) => ({ ...layer, phase: 'present' }));
    case 'measure:done':
    case 'layer:done':
      return change(image, event.digest, now, (layer) => {
        return { ...layer, phase: 'done', meter: tick(layer.meter, layer.size ?? layer.meter.received, now) };
      });
    case 'image:hashing':
      return { ...image, phase: 'hashing' };
    case 'image:done':
      return { ...image, phase: 'done' };
    default:
      return image;
  }
}

interface NewLayer {
  readonly phase: LayerPhase;
  readonly size: number | undefined;
  readonly now: number;
  readonly source: LayerSource;
}

function layerOf(digest: string, { phase, size, now, source }: NewLayer): LayerProgress {
  const isCopied = source === 'archive';
  const name = hexOf(digest).slice(0, 12);
  return { name, measured: false, isFile: false, isCopied, phase, size, meter: startMeter(now) };
}

function change(
  image: ImageProgress,
  digest: string,
  now: number,
  to: (layer: LayerProgress) => LayerProgress,
): ImageProgress {
  const layer = image.layers.get(digest) ?? layerOf(digest, { phase: 'queued', size: 0, now, source: image.source });
  return withLayer(image, digest, to(layer), now);
}

function withLayer(image: ImageProgress, digest: string, layer: LayerProgress, now: number): ImageProgress {
  const layers = new Map(image.layers).set(digest, layer);
  const { received } = totalOf({ ...image, layers });
  return { ...image, layers, meter: tick(image.meter, received, now) };
}

/** Everything of an image together. */
export interface Total {
  readonly received: number;
  /** What there is to transfer: neither what the store has nor what another process fetches. */
  readonly size: number;
  readonly layers: number;
  /** Layers that are in the store by now. */
  readonly complete: number;
  readonly present: number;
}

export function totalOf({ layers }: Pick<ImageProgress, 'layers'>): Total {
  const all = [...layers.values()].filter(({ isFile }) => !isFile);
  const transferred = all.filter(({ phase }) => phase !== 'present' && phase !== 'wait');
  const present = all.filter(({ phase }) => phase === 'present').length;
  return {
    received: transferred.reduce((sum, { meter }) => sum + meter.received, 0),
    size: transferred.reduce((sum, { size }) => sum + (size ?? 0), 0),
    layers: all.length,
    complete: present + all.filter(({ phase }) => phase === 'done').length,
    present,
  };
}
