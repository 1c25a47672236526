// SPDX-License-Identifier: Apache-2.0
import type { IdRange } from '../oci-spec/index.ts';
import type { IdTables } from './id-tables.ts';

/** Ids of one pod: as many as images use, and as the original gave. */
export const rangeSize = 65_536;

/** Below are users of the host, whatever its tables say. */
export const leastId = 65_536;

/** What systemd, which has written down who takes which ids, leaves to containers: its "Users, Groups, UIDs and GIDs". */
const containerIds: IdRange = { first: 0x80000, count: 0x70000000 - 0x80000 };

export interface RangeChoice {
  /** Where to begin: 0 to 2^32-1. Ranges are tried in order from there, and begin again at the lowest. */
  readonly start: number;
  /** Whether somebody has ids of a range that the tables do not speak of. */
  readonly isTaken: (range: IdRange) => boolean;
}

/**
 * A range of ids that nobody has, aligned as a pod's ranges are. Where the host's tables of subordinate ids have entries for
 * `rkt`, it is one of those; otherwise one of those for containers that no table gives to anybody. Pure.
 *
 * @returns undefined when there is none left
 */
export function chooseRange(tables: IdTables, { start, isTaken }: RangeChoice): IdRange | undefined {
  const owned = tables.delegated.map(insideAligned).filter(({ count }) => count > 0);
  const areas = tables.delegated.length > 0 ? owned : [containerIds];
  const isForeign = (range: IdRange): boolean => tables.foreign.some((other) => overlap(range, other));
  const slots = areas.reduce((sum, { count }) => sum + count / rangeSize, 0);
  for (let index = 0; index < slots; index += 1) {
    const range = slotOf(areas, (start + index) % slots);
    if (!isForeign(range) && !isTaken(range)) return range;
  }
  return undefined;
}

/** The part of an area that whole ranges fill, from the first id of it. */
function insideAligned({ first, count }: IdRange): IdRange {
  const start = Math.max(first, leastId);
  const left = Math.max(0, Math.min(first + count, 2 ** 32 - 1) - start);
  return { first: start, count: left - (left % rangeSize) };
}

function slotOf(areas: readonly IdRange[], slot: number): IdRange {
  let left = slot * rangeSize;
  for (const { first, count } of areas) {
    if (left < count) return { first: first + left, count: rangeSize };
    left -= count;
  }
  throw new RangeError(`there is no slot ${slot}`);
}

function overlap(a: IdRange, b: IdRange): boolean {
  return a.first < b.first + b.count && b.first < a.first + a.count;
}
