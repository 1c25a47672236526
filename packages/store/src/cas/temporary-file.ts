// SPDX-License-Identifier: Apache-2.0
import { open, rm } from 'node:fs/promises';
import { requireWritable, type StoreContext } from '../context.ts';
import { toStoreError } from '../errors.ts';
import type { TemporaryFile } from '../store.ts';
import { translated } from '../translated.ts';
import { PRIVATE } from './modes.ts';
import { temporaryPath } from './temporary.ts';

/** See {@link Store.temporaryFile}; `purpose` ends its name. @throws PERMISSION, DISK_FULL, IO */
export async function temporaryFile(context: StoreContext, purpose: string): Promise<TemporaryFile> {
  requireWritable(context, 'write into the store');
  const path = temporaryPath(context, purpose);
  await createEmpty(context, path);
  return { path, [Symbol.asyncDispose]: () => translated(path, () => rm(path, { force: true })) };
}

/** Makes a file nobody has made before. @throws PERMISSION, DISK_FULL, IO */
export async function createEmpty(context: StoreContext, path: string): Promise<void> {
  try {
    context.step(`open ${path}`);
    await (await open(path, 'wx', PRIVATE.file)).close();
  } catch (error) {
    throw toStoreError(error, 'cannot write to the store', path);
  }
}
