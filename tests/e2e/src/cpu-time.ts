// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';

/**
 * Milliseconds of CPU, in and for the program, that a command took: unlike wall time, little depends on what else runs.
 * Throws if it failed.
 */
export function cpuTime(command: readonly string[]): number {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1';
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`);
  const [user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number);
  return Math.round((user + system) * 1000);
}
