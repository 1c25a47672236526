// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Kills a child of ours and its descendants. All are stopped before the first is killed, so that none gets to see, and to
 * complain about, the end of another.
 */
export function killTree(root: number): void {
  const stopped = new Set<number>();
  let found: readonly number[] = [root];
  while (found.length > 0) {
    for (const pid of found) {
      send(pid, 'SIGSTOP');
      stopped.add(pid);
    }
    // Again, for what they started before they stopped.
    found = childrenOf(stopped);
  }
  for (const pid of [...stopped].toReversed()) send(pid, 'SIGKILL');
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Those that are not among the parents themselves. */
function childrenOf(parents: ReadonlySet<number>): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => !parents.has(pid) && parents.has(statusOf(pid)?.parent ?? 0));
}

/** proc(5), /proc/pid/stat. Undefined when there is no such process. */
export function statusOf(
  pid: number,
): { readonly state: string; readonly parent: number; readonly startTime: string } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command name stands in parentheses and may contain anything, also `)`.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), startTime: fields[19] ?? '' };
}
