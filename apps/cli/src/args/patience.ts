// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from './duration.ts';

/** Reads how long to wait: milliseconds, infinity for `true`, undefined for `false`. Throws an Error for anything else. */
export function parsePatience(text: string): number | undefined {
  if (text === 'true') return Number.POSITIVE_INFINITY;
  return text === 'false' ? undefined : parseDuration(text);
}
