// SPDX-License-Identifier: Apache-2.0
import { lstatSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { isNotFound, toStoreError } from '../errors.ts';
import { type BytePath, inSlices, type OpenDirectory, openDirectory } from '../host/open-directory.ts';

/**
 * Removes a file or a directory with all it holds; nothing there is fine, also when it vanishes meanwhile. Whoever changes
 * what is in it at the same time leads it nowhere else: every step is taken from an open directory.
 *
 * @returns bytes of the files removed; undefined when there was nothing
 */
export async function removeTree(path: string): Promise<number | undefined> {
  let bytes: number | undefined;
  await visitBottomUp(path, (entry, stats) => {
    const removed = ignoringAbsence(() => (stats.isDirectory() ? rmdirSync(entry) : unlinkSync(entry)));
    if (removed) bytes = (bytes ?? 0) + sizeOf(stats);
  });
  return bytes;
}

/** Bytes of a file, or of all files that a directory holds; undefined when it is not there. */
export async function bytesOf(path: string): Promise<number | undefined> {
  let bytes: number | undefined;
  try {
    await visitBottomUp(path, (_, stats) => {
      bytes = (bytes ?? 0) + sizeOf(stats);
    });
  } catch (error) {
    throw toStoreError(error, 'cannot examine the store', path);
  }
  return bytes;
}

interface Frame {
  readonly path: BytePath;
  readonly stats: Stats;
  readonly directory: OpenDirectory;
  next: number;
}

/** Calls `visit` for everything at and below a path, a directory after all it holds. Follows no symbolic link. */
async function visitBottomUp(path: string, visit: (entry: BytePath, stats: Stats) => void): Promise<void> {
  const stack: Frame[] = [];
  const pause = inSlices();
  const enter = (entry: BytePath): void =>
    void ignoringAbsence(() => {
      const stats = lstatSync(entry);
      if (stats.isDirectory()) stack.push({ path: entry, stats, directory: openDirectory(entry), next: 0 });
      else visit(entry, stats);
    });
  try {
    enter(Buffer.from(path));
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const name = frame.directory.names[frame.next];
      frame.next += 1;
      if (name === undefined) {
        stack.pop();
        frame.directory.close();
        visit(frame.path, frame.stats);
      } else enter(frame.directory.entry(name));
      await pause();
    }
  } finally {
    for (const { directory } of stack) directory.close();
  }
}

function sizeOf(stats: Stats): number {
  return stats.isDirectory() ? 0 : stats.size;
}

/** @returns false when what `work` is about is not there */
function ignoringAbsence(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return false;
  }
}
