// SPDX-License-Identifier: Apache-2.0
import type { AciLayer } from '../store.ts';

/** What the database and `record.json` keep: `[first, position]` of each. */
export type EncodedAciLayers = readonly (readonly [first: number, position: number])[];

export function encodeAciLayers(acis: readonly AciLayer[]): EncodedAciLayers {
  return acis.map(({ first, position }) => [first, position]);
}

/** @returns undefined for what no image of so many layers can have */
export function decodeAciLayers(value: unknown, layerCount: number): readonly AciLayer[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const acis: AciLayer[] = [];
  for (const pair of value) {
    const [first, position]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    if (!isIndex(first, layerCount) || !isIndex(position, layerCount) || first > position) return undefined;
    acis.push({ first, position });
  }
  return acis;
}

/** Which layer is the image itself, if it is kept as the ACI it came as. */
export function ownAci(image: {
  readonly layers: readonly string[];
  readonly acis: readonly AciLayer[];
}): number | undefined {
  const top = image.layers.length - 1;
  return image.acis.some(({ position }) => position === top) ? top : undefined;
}

function isIndex(value: unknown, count: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count;
}
