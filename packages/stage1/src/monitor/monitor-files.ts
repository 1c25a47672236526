// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { appPaths } from '../mounts/index.ts';
import { keptExitDir } from '../pod/index.ts';

/** Files of the monitor of one app. Absolute: a pod is not moved while a monitor holds its lock. */
export interface MonitorFiles {
  /** Its working directory: where it notes that memory ran out. */
  readonly base: string;
  readonly bundle: string;
  /** Of the app's first process. */
  readonly pid: string;
  readonly monitorPid: string;
  readonly exitDir: string;
  /** What the app has written: lines of CRI's log format. */
  readonly log: string;
  /** A socket of packets, for as long as the app runs. */
  readonly attach: string;
}

export function monitorFiles(podDir: string, app: string): MonitorFiles {
  const paths = appPaths(app);
  const base = join(podDir, paths.base);
  const bundle = join(podDir, paths.bundle);
  return {
    base,
    bundle,
    pid: join(base, 'pid'),
    monitorPid: join(base, 'monitor-pid'),
    exitDir: keptExitDir(podDir, app),
    log: join(base, 'log'),
    attach: join(bundle, 'attach'),
  };
}
