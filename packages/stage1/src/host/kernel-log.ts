// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { hasCode } from '../pod/files.ts';
import type { Syscalls } from './syscalls.ts';

/** More than the kernel puts into one record (printk's CONSOLE_EXT_LOG_MAX). Bytes. */
const recordBytes = 8_192;
/** A log that is written faster than it is read has no end. */
const maxRecords = 100_000;

export interface MemoryWatch {
  /** Whether the kernel has killed something of the cgroup, or of one below it, for want of memory since the watch began. */
  ranOut(): boolean;
  /** Idempotent. */
  close(): void;
}

/**
 * Watches the kernel's log for processes of a cgroup that are killed for want of memory. A runtime removes the cgroup with the
 * app, and its counters with it; the log stays. What is there already is of an earlier run. Nothing is thrown: where the log
 * cannot be read, as in many containers, nothing is known.
 */
export function watchMemory(syscalls: Syscalls, cgroup: string, path = '/dev/kmsg'): MemoryWatch {
  let log = openAtEnd(syscalls, path);
  return {
    ranOut: () => {
      try {
        return log !== undefined && records(log).some((text) => namesVictim(text, cgroup));
      } catch {
        return false;
      }
    },
    close: () => {
      if (log !== undefined) closeSync(log);
      log = undefined;
    },
  };
}

/** Behind the last record. Times of records are of another clock than ours, and drift from it. */
function openAtEnd(syscalls: Syscalls, path: string): number | undefined {
  let log: number;
  try {
    log = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    syscalls.seekToEnd(log);
    return log;
  } catch {
    closeSync(log);
    return undefined;
  }
}

/** `oom-kill:constraint=CONSTRAINT_MEMCG,...,task_memcg=/rkt/ID/APP,task=NAME,...`; NAME is the process's own choice. */
function namesVictim(text: string, cgroup: string): boolean {
  const [, message = ''] = /^[^;\n]*;(oom-kill:[^\n]*)/.exec(text) ?? [];
  const [, victim] = /^[^\n]*?,task_memcg=([^,]*),/.exec(message) ?? [];
  return victim !== undefined && `${victim}/`.includes(`/${cgroup}/`);
}

/** One read(2) gives one record, the oldest first. */
function records(fd: number): readonly string[] {
  const found: string[] = [];
  const buffer = Buffer.alloc(recordBytes);
  for (let count = 0; count < maxRecords; count += 1) {
    try {
      const length = readSync(fd, buffer, 0, recordBytes, null);
      if (length === 0) break;
      const text = buffer.toString('utf8', 0, length);
      if (text.includes(';oom-kill:')) found.push(text);
    } catch (error) {
      // Overwritten before it was read; the next read gives the one after it.
      if (hasCode(error, 'EPIPE', 'EINVAL')) continue;
      break;
    }
  }
  return found;
}
