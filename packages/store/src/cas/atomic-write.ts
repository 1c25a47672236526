// SPDX-License-Identifier: Apache-2.0
import { chmod, type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileContext } from '../context.ts';
import { hasErrno, toStoreError } from '../errors.ts';
import { type Modes, PRIVATE } from './modes.ts';
import { temporaryPath } from './temporary.ts';
import { tidyUp } from './tidy-up.ts';

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
  const temporary = temporaryPath(context, 'file');
  try {
    context.step(`open ${temporary}`);
    const handle = await open(temporary, 'wx', PRIVATE.file);
    try {
      await handle.chmod(context.modes.file);
      for (const chunk of chunks) {
        context.step(`write ${temporary}`);
        await writeFully(handle, chunk);
      }
      context.step(`fsync ${temporary}`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await moveIntoPlace(context, temporary, target);
  } catch (error) {
    await tidyUp(() => rm(temporary, { force: true }));
    throw toStoreError(error, 'cannot write to the store', target);
  }
}

/** Renames something already durable to its final name and makes the name durable too. */
export async function moveIntoPlace(context: FileContext, source: string, target: string): Promise<void> {
  await makeDirectory(context, dirname(target));
  context.step(`rename ${target}`);
  await rename(source, target);
  await syncDirectory(context, dirname(target));
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
