// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { hasErrno, isNotFound } from '../errors.ts';

/**
 * A process, named so that no later process can be taken for it: `<pid>-<start time>-<boot>`. The start time is in
 * clock ticks since boot (proc(5), /proc/pid/stat field 22); `boot` is the first eight digits of the kernel's boot ID.
 * Safe in file names.
 */
export type Owner = string;

const OWNER = /^(\d{1,10})-(\d{1,20})-([0-9a-f]{8})$/;

let own: Owner | undefined;
let boot: string | undefined;

/** The process we are. */
export function currentOwner(): Owner {
  own ??= `${process.pid}-${startTime(process.pid) ?? '0'}-${bootId()}`;
  return own;
}

/** Whether this names a process, one that runs or one that has ended. */
export function isOwner(text: string): boolean {
  return OWNER.test(text);
}

/**
 * Whether the process still runs. What is not an owner at all is not alive; a process we may not look at is. Throws
 * rather than declare a process dead when the system cannot tell.
 */
export function isOwnerAlive(owner: Owner): boolean {
  const match = OWNER.exec(owner);
  if (match === null || match[3] !== bootId()) return false;
  try {
    return startTime(Number(match[1])) === match[2];
  } catch (error) {
    if (hasErrno(error, 'EACCES') || hasErrno(error, 'EPERM')) return true;
    throw error;
  }
}

function startTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isNotFound(error) || hasErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
  // The command name stands in parentheses and may contain anything, also `)`.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Field 3 is the state: a zombie has ended, only its parent has not noticed.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
  return boot;
}
