// SPDX-License-Identifier: Apache-2.0
import { chmod, type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileContext } from '../context.ts';
import { hasErrno, toStoreError } from '../errors.ts';
import { type Modes, PRIVATE } from './modes.ts';
import { temporaryPath } from './temporary.ts';
import { tidyUp } from './tidy-up.ts';

/** A file as it is to be. */
export interface FileToWrite {
  readonly target: string;
  readonly chunks: Iterable<Uint8Array>;
}

/**
 * The one way a file comes into being in the store: exclusive temporary, write, fsync, rename, fsync of the directory.
 * Readers see the old file, or none, or the whole new one; so does a machine that lost power.
 *
 * @throws DISK_FULL, PERMISSION, IO; nothing is left behind
 */
export async function writeAtomically(
  context: FileContext,
  target: string,
  chunks: Iterable<Uint8Array>,
): Promise<void> {
  await writeAllAtomically(context, [{ target, chunks }]);
}

/**
 * The same of several files of one directory, with fewer waits for the disk than one after the other: all are durable before any
 * has its name, and get them in this order.
 */
export async function writeAllAtomically(context: FileContext, files: readonly FileToWrite[]): Promise<void> {
  const contents = files.map(({ chunks }) => chunks);
  const moves = (temporaries: readonly string[]): Move[] =>
    files.map(({ target }, at) => ({ source: temporaries[at] ?? '', target }));
  try {
    await withTemporaries(context, contents, (temporaries) => moveIntoPlace(context, moves(temporaries)));
  } catch (error) {
    const [first, second] = files.map(({ target }) => target);
    throw toStoreError(error, 'cannot write to the store', second === undefined ? first : dirname(second));
  }
}

export interface TemporariesOptions {
  /** Something else that waits for the disk, to be done at the same time. */
  readonly meanwhile?: () => Promise<void>;
}

/** Writes temporary files and makes them durable, for `work` to move into place; what it leaves is removed if anything fails. */
export async function withTemporaries(
  context: FileContext,
  contents: readonly Iterable<Uint8Array>[],
  work: (paths: readonly string[]) => Promise<void>,
  { meanwhile = async () => undefined }: TemporariesOptions = {},
): Promise<void> {
  const paths = contents.map(() => temporaryPath(context, 'file'));
  const handles: FileHandle[] = [];
  try {
    try {
      for (const [at, path] of paths.entries()) {
        context.step(`open ${path}`);
        const handle = await open(path, 'wx', PRIVATE.file);
        handles.push(handle);
        await handle.chmod(context.modes.file);
        for (const chunk of contents[at] ?? []) {
          context.step(`write ${path}`);
          await writeFully(handle, chunk);
        }
      }
      await allDone([
        meanwhile(),
        ...handles.map(async (handle, at) => {
          context.step(`fsync ${paths[at]}`);
          await handle.sync();
        }),
      ]);
    } finally {
      await allDone(handles.map((handle) => handle.close()));
    }
    await work(paths);
  } catch (error) {
    for (const path of paths) await tidyUp(() => rm(path, { force: true }));
    throw error;
  }
}

/** Waits for all of them, also when one fails. @throws what the first of them that fails throws */
async function allDone(works: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) if (result.status === 'rejected') throw result.reason;
}

/** A durable file and the name it is to have. */
export interface Move {
  readonly source: string;
  readonly target: string;
}

/**
 * Renames files that are durable to their final names in one directory, and makes the names durable too. Whoever sees one sees those
 * before it; so does a machine that lost power, as a journal keeps the order of renames.
 */
export async function moveIntoPlace(context: FileContext, moves: readonly Move[]): Promise<void> {
  const [directory, another] = new Set(moves.map(({ target }) => dirname(target)));
  if (directory === undefined || another !== undefined) throw new TypeError('files are moved into one directory');
  await makeDirectory(context, directory);
  for (const { source, target } of moves) {
    context.step(`rename ${target}`);
    await rename(source, target);
  }
  await syncDirectory(context, directory);
}

/** Makes a directory and its name durable, also if it was there: another process may have made it just now. */
export async function makeDirectory(context: FileContext, path: string): Promise<void> {
  const { layout, modes } = context;
  // These two are there as they were made: `cas` by whoever may have given it to a group, trees for the owner alone.
  const isFixed = path === layout.cas || path === layout.trees;
  await makeDirectories(context, [path], isFixed ? PRIVATE : modes);
}

/**
 * Several, parents before what is in them. Their modes are these whatever the umask; also of one that is there, which a process
 * may have made that was killed before it gave it to the group.
 */
export async function makeDirectories(context: FileContext, paths: readonly string[], modes: Modes): Promise<void> {
  for (const path of paths) {
    try {
      context.step(`mkdir ${path}`);
      await mkdir(path, { mode: PRIVATE.directory });
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
    if (modes === PRIVATE) continue;
    // What a group may read is its group's, which the directory above has seen to.
    context.step(`chmod ${path}`);
    await chmod(path, modes.directory);
  }
  const parents = new Set(paths.map((path) => dirname(path)));
  await Promise.all([...parents].map((parent) => syncDirectory(context, parent)));
}

/** fsync(2) of a directory: only then do the names in it survive a power cut. */
export async function syncDirectory(context: FileContext, path: string): Promise<void> {
  context.step(`fsync ${path}`);
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeFully(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, offset, chunk.length - offset);
    offset += bytesWritten;
  }
}
