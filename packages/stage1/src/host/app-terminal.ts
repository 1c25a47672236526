// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { TerminalSize } from '../oci-spec/index.ts';
import { hasCode } from '../pod/files.ts';
import type { Host } from './host.ts';
import type { ProcessIdentity } from './processes.ts';
import { type Syscalls, SystemCallError } from './syscalls.ts';

const O_PATH = 0o10000000;
/** Kernel "devices.txt": the slaves of Unix98 pseudo-terminals. */
const firstSlaveMajor = 136;
const lastSlaveMajor = 143;

export interface Resize {
  readonly app: ProcessIdentity;
  /** Undefined: nothing to do. */
  readonly size: TerminalSize | undefined;
}

/**
 * Gives an app's terminal a size; the kernel tells the app. runc does so when it is told that ours has changed, but crun
 * 1.8 does not, and conmon 2.1 mixes up sizes that follow each other quickly. An app without a terminal, or that has
 * ended, is left alone.
 */
export function resizeTerminal(host: Host, syscalls: Syscalls, { app, size }: Resize): void {
  if (size === undefined || !host.processes.isAlive(app)) return;
  const handles: number[] = [];
  const opened = (fd: number): number => {
    handles.push(fd);
    return fd;
  };
  try {
    const root = opened(openSync(`/proc/${app.pid}/root`, O_PATH | constants.O_DIRECTORY));
    // Looked at before it is opened: what the app may have put there instead must not be, devices least of all.
    const found = opened(syscalls.openInRoot(root, '/dev/console', O_PATH));
    if (!isTerminal(found)) return;
    const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
    syscalls.setWindowSize(opened(openSync(`/proc/self/fd/${found}`, flags)), size);
  } catch (error) {
    // It ended meanwhile, or has no terminal.
    if (!(error instanceof SystemCallError) && !hasCode(error, 'ENOENT', 'ESRCH', 'EIO', 'ENXIO')) throw error;
  } finally {
    for (const handle of handles) closeSync(handle);
  }
}

function isTerminal(fd: number): boolean {
  const stat = fstatSync(fd);
  const major = Math.floor(stat.rdev / 256) % 4096;
  return stat.isCharacterDevice() && major >= firstSlaveMajor && major <= lastSlaveMajor;
}
