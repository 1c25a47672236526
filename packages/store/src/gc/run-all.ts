// SPDX-License-Identifier: Apache-2.0

/** Does one thing after the other, whatever fails. @throws the first failure, when all is done */
export async function runAll(works: readonly (() => Promise<void>)[]): Promise<void> {
  const outcomes: PromiseSettledResult<void>[] = [];
  for (const work of works) outcomes.push(...(await Promise.allSettled([work()])));
  throwFirst(outcomes);
}

/** To be called when all have ended: locks are given up after it, and nothing may go on then, whatever has failed. */
export function throwFirst(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
