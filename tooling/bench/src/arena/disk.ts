// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs';

/**
 * Mounts a fresh journaled ext4 on a loop device at `dir`. A root disk without a journal slows file creation up to ten
 * times after large deletes, which would measure the disk instead of the tools. The caller runs in a mount namespace of
 * its own; the returned function unmounts and deletes.
 */
export function mountFreshDisk(dir: string, gigabytes: number): () => void {
  mkdirSync(dir, { recursive: true });
  const image = `${dir}.ext4`;
  const fd = openSync(image, 'w');
  ftruncateSync(fd, gigabytes * 2 ** 30);
  closeSync(fd);
  execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
  execFileSync('mount', ['-o', 'loop', image, dir]);
  return () => {
    execFileSync('umount', ['-R', '-l', dir]);
    rmSync(image, { force: true });
    rmSync(dir, { recursive: true, force: true });
  };
}

/** Allocated bytes below `dir`. */
export function diskBytes(dir: string): number {
  const output = execFileSync('du', ['-s', '--block-size=1', dir], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return Number(output.split('\t')[0]);
}

/** Empties a directory without deleting it (it may be a mount point). */
export function emptyDirectory(dir: string): void {
  mkdirSync(dir, { recursive: true });
  execFileSync('find', [dir, '-mindepth', '1', '-delete']);
}

/** Writes everything out, so that one tool's dirty pages are not another's wait. */
export function settle(): void {
  execFileSync('sync');
}
