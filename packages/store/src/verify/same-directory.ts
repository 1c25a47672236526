// SPDX-License-Identifier: Apache-2.0
import { closeSync, lstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { isNotFound } from '../errors.ts';
import { type BytePath, inSlices, type OpenDirectory, openDirectory } from '../host/open-directory.ts';
import { loadTreeSyscalls } from '../host/tree-syscalls.ts';
import { isSameXattrs } from './same-xattrs.ts';

const CHUNK_BYTES = 256 * 1024;

type Pair<T> = readonly [one: T, other: T];

interface Frame {
  readonly directories: Pair<OpenDirectory>;
  next: number;
}

/**
 * Whether two directories hold the same files with the same content, owners, modes, times, devices and
 * extended attributes. Follows no symbolic link.
 */
export async function isSameDirectory(one: string, other: string, signal: AbortSignal | undefined): Promise<boolean> {
  const buffers = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)] as const;
  const calls = await loadTreeSyscalls();
  const stack: Frame[] = [];
  const pause = inSlices();
  /** Directories are compared themselves here, and what they hold later. */
  const compare = (paths: Pair<BytePath>): boolean => {
    const stats = statsOf(paths);
    if (stats === undefined || !isSameNode(paths, stats, buffers) || !isSameXattrs(calls, ...paths)) return false;
    if (!stats[0].isDirectory()) return true;
    const directories = openBoth(paths);
    stack.push({ directories, next: 0 });
    return hasSameNames(directories);
  };
  try {
    if (!compare([Buffer.from(one), Buffer.from(other)])) return false;
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const [left, right] = frame.directories;
      const name = left.names[frame.next++];
      if (name === undefined) close(stack.pop());
      else if (!compare([left.entry(name), right.entry(name)])) return false;
      await pause();
      signal?.throwIfAborted();
    }
    return true;
  } finally {
    for (const frame of stack) close(frame);
  }
}

function statsOf([one, other]: Pair<BytePath>): Pair<Stats> | undefined {
  try {
    return [lstatSync(one), lstatSync(other)];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function isSameNode(paths: Pair<BytePath>, [a, b]: Pair<Stats>, buffers: Pair<Buffer>): boolean {
  const same = (field: 'mode' | 'uid' | 'gid' | 'rdev' | 'mtimeMs'): boolean => a[field] === b[field];
  if (!same('mode') || !same('uid') || !same('gid') || !same('rdev') || !same('mtimeMs')) return false;
  if (a.isSymbolicLink()) return readlinkSync(paths[0], 'buffer').equals(readlinkSync(paths[1], 'buffer'));
  if (!a.isFile()) return true;
  return a.size === b.size && a.nlink === b.nlink && isSameContent(paths, buffers);
}

function isSameContent([one, other]: Pair<BytePath>, [a, b]: Pair<Buffer>): boolean {
  const left = openSync(one, 'r');
  try {
    const right = openSync(other, 'r');
    try {
      for (;;) {
        const length = readSync(left, a);
        // Regular files of one size are read in equal pieces; a piece cut short by a signal would only rebuild the tree.
        if (length !== readSync(right, b) || a.compare(b, 0, length, 0, length) !== 0) return false;
        if (length === 0) return true;
      }
    } finally {
      closeSync(right);
    }
  } finally {
    closeSync(left);
  }
}

function openBoth([one, other]: Pair<BytePath>): Pair<OpenDirectory> {
  const left = openDirectory(one);
  try {
    return [left, openDirectory(other)];
  } catch (error) {
    left.close();
    throw error;
  }
}

function hasSameNames([one, other]: Pair<OpenDirectory>): boolean {
  return one.names.length === other.names.length && one.names.every((name, at) => other.names[at]?.equals(name));
}

function close(frame: Frame | undefined): void {
  for (const directory of frame?.directories ?? []) directory.close();
}
