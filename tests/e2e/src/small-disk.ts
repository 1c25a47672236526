// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Mounts a file system of a few megabytes at `dir`; disposing unmounts it. */
export function smallDisk(dir: string, megabytes: number): Disposable {
  mkdirSync(dir, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'none', dir]);
  return { [Symbol.dispose]: () => execFileSync('umount', [dir]) };
}
