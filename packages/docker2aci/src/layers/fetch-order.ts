// SPDX-License-Identifier: Apache-2.0
import type { Layer } from '@rkt/registry';

/** Which layer comes next; every layer once. */
export interface FetchOrder {
  /** @param lane 0 to one less than the number of layers fetched at once */
  next(lane: number): Layer | undefined;
}

/**
 * Hashing goes from the top layer down and is the longest chain of work, so most lanes take the topmost layer that is
 * left. The last lane takes the largest: a large base layer that came last would leave one core hashing alone at the end.
 *
 * @param layers base first
 */
export function fetchOrder(layers: readonly Layer[]): FetchOrder {
  const left = [...layers];
  const largest = (): number =>
    left.reduce((best, layer, index) => (layer.descriptor.size > (left[best]?.descriptor.size ?? 0) ? index : best), 0);
  return {
    next: (lane) => left.splice(lane === 0 ? largest() : left.length - 1, 1)[0],
  };
}
