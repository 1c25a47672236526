// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { lstatSync, realpathSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { CliError, errnoOf } from '../errors.ts';
import { quote } from '../render/quote.ts';
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
 * @throws {CliError} ERR_RKT_CLI_FILE; what `fill` throws; nothing half-written is left
 */
export async function writeOutputDirectory(
  { path, overwrite, keep }: OutputDirectory,
  fill: (path: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path);
  const exists = isThere(target);
  if (exists && !overwrite) {
    throw new CliError('ERR_RKT_CLI_FILE', 'output directory exists (try --overwrite)');
  }
  if (exists) refuseToLose(target, [...keep, process.cwd()]);
  const fresh = `${target}.${randomUUID()}.tmp`;
  try {
    await fill(fresh);
    await replace(target, fresh);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw cannotWrite(path, error);
  }
}

/** A directory cannot be renamed over one that is not empty. */
async function replace(target: string, fresh: string): Promise<void> {
  const old = `${target}.${randomUUID()}.old`;
  const replaced = isThere(target);
  if (replaced) await rename(target, old);
  try {
    await rename(fresh, target);
  } catch (error) {
    if (replaced) await rename(old, target);
    throw error;
  }
  if (replaced) await rm(old, { recursive: true, force: true });
}

function refuseToLose(target: string, keep: readonly string[]): void {
  // Where a symbolic link is replaced, what it leads to stays, if there is anything.
  if (lstatSync(target).isSymbolicLink()) return;
  const real = `${realpathSync(target)}${sep}`.replace('//', '/');
  const lost = keep.find((path) => `${path}${sep}`.startsWith(real));
  if (lost === undefined) return;
  throw new CliError('ERR_RKT_CLI_FILE', `refusing to replace ${quote(target)}: ${quote(lost)} is in it`);
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw cannotWrite(path, error);
  }
}
