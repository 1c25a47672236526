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
 * @returns what starts it for an app that runs
 * @throws Stage1Error ERR_RKT_STAGE1_RUNTIME_MISSING
 */
export function lockKeeper(host: Host, lockFd: number): (app: HostProcess) => LockKeeper {
  const file = host.findExecutable('tail');
  if (file === undefined) {
    throw new Stage1Error('ERR_RKT_STAGE1_RUNTIME_MISSING', 'tail is not installed (Debian package coreutils)');
  }
  const stdio = ['ignore', 'ignore', 'ignore', lockFd] as const;
  return (app) => {
    const args = [`--pid=${app.pid}`, '--follow', '/dev/null'];
    const keeper = host.processes.spawn({ file, args, cwd: '/', stdio, detached: true });
    return {
      pid: keeper.pid,
      end: async () => {
        keeper.signal('SIGKILL');
        // One that could not be started has nothing to end; the app's status is not lost for that.
        await keeper.exit.catch(() => undefined);
      },
    };
  };
}
