// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from './duration.ts';

const MAX_LINES = 1e12;

/** A number of lines; undefined for `all`. Throws an Error for anything else. */
export function parseTail(text: string): number | undefined {
  if (text === 'all') return undefined;
  if (/^\d+$/.test(text) && Number(text) <= MAX_LINES) return Number(text);
  throw new Error('it must be a number of lines, or "all"');
}

const MOMENT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** Milliseconds since the epoch: of a moment, or of a duration before now. Throws an Error for anything else. */
export function parseSince(text: string, now: number): number {
  if (MOMENT.test(text) && !Number.isNaN(Date.parse(text))) return Date.parse(text);
  try {
    return now - parseDuration(text);
  } catch (error) {
    throw new Error('it must be a duration such as "10m" or a moment such as "2026-01-02T03:04:05Z"', { cause: error });
  }
}
