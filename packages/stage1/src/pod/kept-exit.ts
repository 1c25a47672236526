// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readTextFile } from './files.ts';

/** What the monitor of an app that runs in nobody's foreground has written down about its end. */
export interface KeptExit {
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  readonly outOfMemory?: true;
}

/** Where a monitor writes the status, into a file named like the app, whole. */
export function keptExitDir(dir: string, app: string): string {
  return join(dir, 'apps', app, 'exit');
}

/** The file that is there once the kernel has killed something of the app for want of memory. */
export function outOfMemoryFile(dir: string, app: string): string {
  return join(dir, 'apps', app, 'oom');
}

/** It is of a run that is over, and of the next one nothing is known yet. */
export function forgetKeptExit(dir: string, app: string): void {
  for (const path of [keptExitDir(dir, app), outOfMemoryFile(dir, app)]) rmSync(path, { recursive: true, force: true });
}

/** Undefined while the app has not ended, or nobody keeps its status. */
export function readKeptExit(dir: string, app: string): KeptExit | undefined {
  const file = join(keptExitDir(dir, app), app);
  const stat = statSync(file, { throwIfNoEntry: false });
  const text = stat && readTextFile(file);
  // A damaged file is none: nobody knows the status then.
  if (stat === undefined || text === undefined || !/^\d{1,3}$/.test(text)) return undefined;
  return {
    exitCode: Number(text),
    finishedAt: Math.round(stat.mtimeMs),
    ...(existsSync(outOfMemoryFile(dir, app)) && { outOfMemory: true }),
  };
}
