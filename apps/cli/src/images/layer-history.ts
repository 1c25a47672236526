// SPDX-License-Identifier: Apache-2.0
import type { StoredLayer } from '@rkt/store';

/** A step in the making of an image. */
export interface HistoryStep {
  /** Of the layer it made; undefined for a step that made none. */
  readonly diffId: string | undefined;
  /** Bytes of the uncompressed layer; 0 without one. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly created: number | undefined;
  readonly createdBy: string;
  readonly comment: string;
}

/**
 * What made an image, the oldest first: the history of its configuration with the layers it tells of. An image without a
 * history, or with one that counts other layers than there are, is known by its layers alone.
 */
export function layerHistory(
  layers: readonly StoredLayer[],
  configBytes: Uint8Array | undefined,
): readonly HistoryStep[] {
  const entries = historyOf(configBytes);
  if (entries.filter(makesLayer).length !== layers.length) return layers.map((layer) => step({}, layer));
  let next = 0;
  return entries.map((entry) => step(entry, makesLayer(entry) ? layers[next++] : undefined));
}

type Entry = Readonly<Record<string, unknown>>;

/** OCI image spec, "Image Configuration", `history`. What is none of that is passed over. */
function historyOf(configBytes: Uint8Array | undefined): readonly Entry[] {
  if (configBytes === undefined) return [];
  const config: unknown = JSON.parse(new TextDecoder().decode(configBytes));
  const { history } = isObject(config) ? config : {};
  return Array.isArray(history) ? history.filter(isObject) : [];
}

function isObject(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function makesLayer(entry: Entry): boolean {
  return entry['empty_layer'] !== true;
}

function step(entry: Entry, layer: StoredLayer | undefined): HistoryStep {
  const time = Date.parse(text(entry['created']));
  return {
    diffId: layer?.diffId,
    size: layer?.size ?? 0,
    created: Number.isNaN(time) ? undefined : time,
    createdBy: text(entry['created_by']),
    comment: text(entry['comment']),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
