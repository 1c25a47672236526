// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Kills a child of ours and its descendants. All are stopped before the first is killed, so that none gets to see, and to
 * complain about, the end of another.
 */
export function killTree(root: number): void {
  const stopped = new Map<number, Member>();
  let found: readonly Member[] = members([root]);
  while (found.length > 0) {
    for (const member of found) {
      send(member, 'SIGSTOP');
      stopped.set(member.pid, member);
    }
    for (const { pid } of found) awaitStop(pid);
    // Again, for what they started before they stopped.
    found = relativesOf(root, stopped);
  }
  for (const member of [...stopped.values()].toReversed()) send(member, 'SIGKILL');
}

/** Its pid may be another process's as soon as its parent has seen it end. */
interface Member {
  readonly pid: number;
  readonly startTime: string;
}

function members(pids: readonly number[]): readonly Member[] {
  return pids.flatMap((pid) => {
    const startTime = statusOf(pid)?.startTime;
    return startTime === undefined ? [] : [{ pid, startTime }];
  });
}

function send({ pid, startTime }: Member, signal: NodeJS.Signals): void {
  if (statusOf(pid)?.startTime !== startTime) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** How long a process may take to stop that is in the middle of a system call. */
const stopMs = 100;

/** A stop takes effect a moment after it was sent; it is too short to give the event loop a turn. */
function awaitStop(pid: number): void {
  const end = performance.now() + stopMs;
  while (/^[RSD]$/.test(statusOf(pid)?.state ?? '') && performance.now() < end);
}

/** Children of the stopped, and what is in the root's own session although its parent has ended. */
function relativesOf(root: number, stopped: ReadonlyMap<number, unknown>): readonly Member[] {
  return allPids().flatMap((pid) => {
    const status = stopped.has(pid) ? undefined : statusOf(pid);
    if (status === undefined || !(stopped.has(status.parent) || status.session === root)) return [];
    return [{ pid, startTime: status.startTime }];
  });
}

/** Of every process there is. */
export function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

export interface ProcessStatus {
  /** One letter, e.g. `T` for stopped. */
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly startTime: string;
}

/** proc(5), /proc/pid/stat. Undefined when there is no such process. */
export function statusOf(pid: number): ProcessStatus | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command name stands in parentheses and may contain anything, also `)`.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, , session] = fields;
  return { state, parent: Number(parent), session: Number(session), startTime: fields[19] ?? '' };
}
