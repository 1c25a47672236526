// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits for the processes that have `temporary` as their directory for temporary files: vitest, ended by a signal, does
 * not wait for its workers, and these would make files again where they were deleted. Not longer than five seconds.
 */
export async function workersGone(temporary: string): Promise<void> {
  for (let tries = 0; tries < 50 && anyUses(temporary); tries++) await sleep(100);
}

function anyUses(temporary: string): boolean {
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(`TMPDIR=${temporary}`);
    } catch {
      return false;
    }
  });
}
