// SPDX-License-Identifier: Apache-2.0
import { relative } from 'node:path';
import { interceptFiles } from './intercept-files.ts';

/** What happens to the disk, in order: operations on files, and transactions of the database. */
export interface Steps {
  /** To be given to `openStore` as `onStep`: the parts that Node's files do not show. */
  readonly onStep: (step: string) => void;
  /** Each step so far, with names that are the same every time. */
  readonly seen: readonly string[];
  stop(): void;
}

/** Of what `onStep` tells, the rest is seen as operations on files. */
const NOT_FILES = /^(commit|commit-unsynced|extract|syncfs) /;

/** Follows every step in a store; `before` is told its number, from 1, and may throw or never return. */
export async function followSteps(dir: string, before: (step: number, name: string) => void): Promise<Steps> {
  const seen: string[] = [];
  const next = (name: string, path: string): void => {
    seen.push(`${name} ${sameEveryTime(relative(dir, path))}`);
    before(seen.length, name);
  };
  const stop = await interceptFiles(`${dir}/`, ({ name, path }) => next(name, path));
  return {
    seen,
    stop,
    onStep: (step) => {
      const [name = '', path = ''] = step.split(' ');
      if (NOT_FILES.test(step)) next(name, path);
    },
  };
}

/** Whether a process that is killed after this step leaves another store than one that is killed before it. */
export function isVisible(step: string): boolean {
  return !/^(read|readdir|mkdir-again|fsync|syncfs) /.test(step);
}

/** Processes, random names and digests are others every time. */
function sameEveryTime(path: string): string {
  return path
    .replace(/\d+-\d+-[0-9a-f]{8}\.[0-9a-f-]{36}/, 'OWNER')
    .replace(/\.[0-9a-f]{64}\./, '.')
    .replace(/[0-9a-f]{64,128}/g, (hex) => hex.slice(0, 4));
}
