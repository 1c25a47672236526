// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerIngest, LayerRepository, PresentLayer } from '@rkt/appc';
import { toIoError } from '../io-error.ts';

/**
 * Keeps layers in a plain directory, which is made if need be: `<diffID digits>.tar` and `.idx`. For those who have no
 * store: files are complete or absent, but neither synced to disk nor collected, and two processes that want one layer
 * both fetch it.
 *
 * @throws ConversionError (from `prepareLayer`, `commit`) `IO`, `DISK_FULL`
 */
export function directoryRepository(directory: string): LayerRepository {
  return {
    prepareLayer: async (diffId, options = {}) => {
      options.signal?.throwIfAborted();
      if (!/^sha256:[0-9a-f]{64}$/.test(diffId)) throw new TypeError(`diffID: expected sha256: and 64 hex digits`);
      const base = join(directory, diffId.slice('sha256:'.length));
      return (await findPresent(base)) ?? beginIngest(directory, base);
    },
  };
}

/** The tar gets its name last, so an index alone means nothing. */
async function findPresent(base: string): Promise<PresentLayer | undefined> {
  const path = `${base}.tar`;
  try {
    await (await open(path)).close();
    return { state: 'present', path, index: await readFile(`${base}.idx`) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw toIoError(error, 'cannot read', path);
  }
}

async function beginIngest(directory: string, base: string): Promise<LayerIngest> {
  const path = join(directory, `.ingest-${randomUUID()}`);
  const discard = (): Promise<void> => rm(path, { force: true });
  try {
    await mkdir(directory, { recursive: true });
    await (await open(path, 'wx', 0o600)).close();
  } catch (error) {
    throw toIoError(error, 'cannot make', path);
  }
  return {
    state: 'ingest',
    path,
    commit: async ({ index }) => {
      try {
        await writeWhole(`${base}.idx`, index);
        await rename(path, `${base}.tar`);
      } catch (error) {
        await discard();
        throw toIoError(error, 'cannot write', base);
      }
      return { state: 'present', path: `${base}.tar`, index };
    },
    abort: discard,
    [Symbol.asyncDispose]: discard,
  };
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600 });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
