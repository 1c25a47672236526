// SPDX-License-Identifier: Apache-2.0
import { pause } from './pause.ts';

/** Waits for something the kernel tells nobody about. @returns whether it came true within `ms` milliseconds */
export async function eventually(condition: () => boolean, ms: number, signal?: AbortSignal): Promise<boolean> {
  // Mostly it has come true already, and then the clock, which costs a millisecond to load, is not needed.
  if (condition()) return true;
  const end = performance.now() + ms;
  for (;;) {
    await pause(5, signal);
    if (condition()) return true;
    if (performance.now() >= end) return false;
  }
}
