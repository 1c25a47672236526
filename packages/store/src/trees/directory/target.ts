// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { tidyUp } from '../../cas/tidy-up.ts';
import { removeTree } from '../../cas/visit-files.ts';
import { StoreError, toStoreError } from '../../errors.ts';
import { O_PATH } from './extraction.ts';

const OPEN_PLACE: number = O_PATH | constants.O_DIRECTORY;
const OPEN_MADE: number = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Makes a directory that nobody else may enter and has it filled; `fill` takes over the handle. On failure it is removed
 * again. Where it stands may belong to somebody else: the place is opened once, and nothing that is done to the path, or to
 * the directory before it is open, leads elsewhere.
 */
export async function makeTarget(path: string, fill: (handle: number) => Promise<void>): Promise<void> {
  const place = opened(dirname(resolve(path)), OPEN_PLACE, path);
  try {
    const made = `/proc/self/fd/${place}/${basename(resolve(path))}`;
    const handle = make(made, path);
    try {
      await fill(handle);
    } catch (error) {
      await tidyUp(() => removeTree(made));
      throw error;
    }
  } finally {
    closeSync(place);
  }
}

function make(made: string, path: string): number {
  try {
    mkdirSync(made, { mode: 0o700 });
  } catch (error) {
    throw cannotMake(error, path);
  }
  const handle = opened(made, OPEN_MADE, path);
  const { uid, mode } = fstatSync(handle);
  if (uid === process.geteuid?.() && (mode & 0o077) === 0) return handle;
  closeSync(handle);
  const text = 'the directory made for a tree was replaced by another one';
  throw new StoreError('ERR_RKT_STORE_PERMISSION', text, { path });
}

function opened(path: string, flags: number, target: string): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    throw cannotMake(error, target);
  }
}

function cannotMake(error: unknown, path: string): unknown {
  return toStoreError(error, 'cannot make a directory for a tree', path);
}
