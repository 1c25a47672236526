// SPDX-License-Identifier: Apache-2.0

/** Does one thing after the other, whatever fails. @throws the first failure, when all is done */
export async function runAll(works: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const work of works) {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
