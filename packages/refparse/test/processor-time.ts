// SPDX-License-Identifier: Apache-2.0

/**
 * Milliseconds of processor time that `work` takes, the mean of `rounds`: on a busy machine the clock goes on while others
 * work. The kernel counts in steps of some milliseconds, so that short work needs many rounds.
 */
export function processorTime(rounds: number, work: () => void): number {
  const started = process.threadCpuUsage();
  for (let left = rounds; left > 0; left -= 1) work();
  const { user, system } = process.threadCpuUsage(started);
  return (user + system) / 1000 / rounds;
}
