// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';

/** Waits for something the kernel tells nobody about. @returns whether it came true within `ms` milliseconds */
export async function eventually(condition: () => boolean, ms: number, signal?: AbortSignal): Promise<boolean> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() >= end) return false;
    await delay(5, undefined, signal && { signal });
  }
  return true;
}
