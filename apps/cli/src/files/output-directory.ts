// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { lstatSync, realpathSync } from 'node:fs';
import { mkdir, rename, rmdir } from 'node:fs/promises';
import { basename, dirname, resolve, sep } from 'node:path';
import { CliError, errnoOf } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { isThere } from './is-there.ts';
import { mountsBelow } from './mounts-below.ts';
import { openPlace, type Place } from './open-place.ts';
import { cannotWrite } from './output-file.ts';

export interface OutputDirectory {
  readonly path: string;
  readonly overwrite: boolean;
  /** Paths that must not be lost with a directory that is replaced. */
  readonly keep: readonly string[];
}

/**
 * Makes a directory of what `fill` makes below a path that does not exist yet. A directory that is there is an error
 * or, to be overwritten, stays until the new one is whole.
 *
 * The place may belong to somebody who does not wish the caller well: it is opened once, and what is made, and what is
 * removed, stands meanwhile in a directory there that nobody else may enter.
 *
 * @throws {CliError} ERR_RKT_CLI_FILE; what `fill` throws; nothing half-written is left
 */
export async function writeOutputDirectory(
  { path, overwrite, keep }: OutputDirectory,
  fill: (path: string) => Promise<void>,
): Promise<void> {
  try {
    const target = resolve(path);
    await using place = await openPlace(dirname(target));
    const name = basename(target);
    const exists = isThere(place.at(name));
    if (exists && !overwrite) {
      throw new CliError('ERR_RKT_CLI_FILE', 'output directory exists (try --overwrite)');
    }
    if (exists) refuseToLose(target, place.at(name), [...keep, process.cwd()]);
    await aside(place, name, async (hidden) => {
      await fill(hidden.at('new'));
      await replace(target, place.at(name), hidden);
    });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Has something done in a directory that only the caller can enter, and removes that with all that is left in it. */
async function aside(place: Place, name: string, work: (hidden: Place) => Promise<void>): Promise<void> {
  const path = place.at(`${name}.${randomUUID()}.tmp`);
  await mkdir(path, { mode: 0o700 });
  try {
    await using hidden = await openPlace(path, { nofollow: true });
    if (!(await hidden.isPrivate())) {
      throw new CliError('ERR_RKT_CLI_FILE', 'somebody else changes the output directory at the same time');
    }
    try {
      await work(hidden);
    } finally {
      const { removeTree } = await import('@rkt/store');
      for (const left of ['new', 'old']) await removeTree(hidden.at(left));
    }
  } finally {
    await removeEmpty(path);
  }
}

/** Whoever owns the place may have moved it away. */
async function removeEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** A directory cannot be renamed over one that is not empty. */
async function replace(target: string, path: string, hidden: Place): Promise<void> {
  const old = hidden.at('old');
  const replaced = isThere(path);
  if (replaced) await rename(path, old);
  try {
    if (replaced) refuseMounts(target, old);
    await rename(hidden.at('new'), path);
  } catch (error) {
    if (replaced) await rename(old, path);
    throw error;
  }
}

/** `target` is for messages. */
function refuseToLose(target: string, path: string, keep: readonly string[]): void {
  // Where a symbolic link is replaced, what it leads to stays, if there is anything.
  if (lstatSync(path).isSymbolicLink()) return;
  const real = `${realpathSync(path)}${sep}`.replace('//', '/');
  const lost = keep.find((each) => `${each}${sep}`.startsWith(real));
  if (lost !== undefined) {
    throw new CliError('ERR_RKT_CLI_FILE', `refusing to replace ${quote(target)}: ${quote(lost)} is in it`);
  }
  refuseMounts(target, path);
}

/** What is mounted in a directory is not the directory's to lose. */
function refuseMounts(target: string, path: string): void {
  if (lstatSync(path).isSymbolicLink()) return;
  const [mounted] = mountsBelow(realpathSync(path));
  if (mounted === undefined) return;
  throw new CliError(
    'ERR_RKT_CLI_FILE',
    `refusing to replace ${quote(target)}: something is mounted at ${quote(mounted)}`,
    {
      hint: 'unmount it first',
    },
  );
}
