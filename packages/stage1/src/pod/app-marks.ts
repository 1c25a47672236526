// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from './files.ts';

/**
 * What is to be known of an app beside its record, which its monitor's end does not write: somebody stopped it; it will not
 * be started again. Empty files, gone when somebody starts it anew.
 */
export type AppMark = 'stopped' | 'settled';

export function hasMark(dir: string, app: string, mark: AppMark): boolean {
  return existsSync(join(dir, 'apps', app, mark));
}

/** Of an app that was never added, or whose pod is gone, there is nothing to be known. */
export function setMark(dir: string, app: string, mark: AppMark): void {
  try {
    writeFileSync(join(dir, 'apps', app, mark), '', { mode: 0o600 });
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** With what was known of the health of the app's last run. */
export function clearMarks(dir: string, app: string, marks: readonly AppMark[]): void {
  for (const name of [...marks, 'health.json']) rmSync(join(dir, 'apps', app, name), { force: true });
}
