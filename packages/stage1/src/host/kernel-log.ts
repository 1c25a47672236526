// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { hasCode } from '../pod/files.ts';

/** More than the kernel puts into one record (printk's CONSOLE_EXT_LOG_MAX). Bytes. */
const recordBytes = 8_192;
/** A log that is written faster than it is read has no end. */
const maxRecords = 100_000;

/**
 * Whether the kernel's log says that a process of a cgroup was killed for want of memory. A runtime removes the cgroup with
 * the app, and its counters with it; the log stays. False also where there is no log to be read, as in some containers.
 */
export function wasOutOfMemory(cgroup: string, log = '/dev/kmsg'): boolean {
  let fd: number;
  try {
    fd = openSync(log, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'EPERM', 'ENXIO')) return false;
    throw error;
  }
  try {
    return records(fd).some((text) => namesVictim(text, cgroup));
  } finally {
    closeSync(fd);
  }
}

/** `oom-kill:constraint=CONSTRAINT_MEMCG,...,task_memcg=/rkt/ID/APP,task=NAME,...`; NAME is the process's own choice. */
function namesVictim(text: string, cgroup: string): boolean {
  const [, message = ''] = /^[^;\n]*;(oom-kill:[^\n]*)/.exec(text) ?? [];
  const [, victim] = /^[^\n]*?,task_memcg=([^,]*),/.exec(message) ?? [];
  return victim === `/${cgroup}` || victim?.endsWith(`/${cgroup}`) === true;
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
      if (hasCode(error, 'EAGAIN', 'EPERM')) break;
      throw error;
    }
  }
  return found;
}
