// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';

/** MB of PSS of everything that stays of running pods beside their apps: what has a directory of the tool's in its arguments. */
export function monitorMemory(dir: string): number {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => (textOf(`/proc/${pid}/cmdline`).includes(dir) ? pssOf(pid) : 0))
    .reduce((sum, pss) => sum + pss, 0);
}

function pssOf(pid: string): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
}

/** Processes end while they are looked at. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
