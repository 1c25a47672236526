// SPDX-License-Identifier: Apache-2.0
import { failureStatus } from '../exit-status.ts';
import type { Session } from '../wiring/session.ts';
import { explained } from './explained.ts';

/**
 * Does something for every item; the failure of one is told and does not keep the others from their turn. An interrupt does,
 * when the work for one has ended at the latest: it is thrown.
 */
export async function reportEach<T>(
  session: Session,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<number> {
  const { signal } = session.interrupts;
  let status = 0;
  for (const item of items) {
    signal.throwIfAborted();
    try {
      await work(item);
    } catch (error) {
      if (signal.aborted) throw error;
      session.report(await explained(error));
      status = failureStatus;
    }
  }
  return status;
}
