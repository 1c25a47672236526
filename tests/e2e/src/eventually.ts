// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats `attempt` until it neither throws nor gives undefined; for at most `seconds`. */
export async function eventually<T>(attempt: () => T | undefined | Promise<T | undefined>, seconds = 20): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let failure: unknown;
    try {
      const value = await attempt();
      if (value !== undefined) return value;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) throw new Error(`still nothing after ${seconds} s`, { cause: failure });
    await sleep(100);
  }
}
