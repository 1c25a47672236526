// SPDX-License-Identifier: Apache-2.0
import { Stage1Error } from '../../error.ts';
import type { Host, HostProcess } from '../../host/index.ts';

/** Holds the pod's lock for as long as an app runs. */
export interface LockKeeper {
  readonly pid: number;
  /** Once the app has ended; it would notice within a second by itself. */
  end(): Promise<void>;
}

/**
 * The app itself must not get the lock: it would see a descriptor that is none of its business, and daemons close what they
 * do not know. So a process that does nothing but wait for the app has it, and goes on when we are gone.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_RUNTIME_MISSING
 */
export function keepLock(host: Host, app: HostProcess, lockFd: number | undefined): LockKeeper | undefined {
  if (lockFd === undefined) return undefined;
  const file = host.findExecutable('tail');
  if (file === undefined) {
    app.signal('SIGKILL');
    throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_MISSING', 'tail is not installed (Debian package coreutils)');
  }
  const args = [`--pid=${app.pid}`, '--follow', '/dev/null'];
  const stdio = ['ignore', 'ignore', 'ignore', lockFd] as const;
  const keeper = host.processes.spawn({ file, args, cwd: '/', stdio, detached: true });
  return {
    pid: keeper.pid,
    end: async () => {
      keeper.signal('SIGKILL');
      await keeper.exit;
    },
  };
}
