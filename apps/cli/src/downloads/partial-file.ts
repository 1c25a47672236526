// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError, errnoOf, reasonOf } from '../errors.ts';
import { quote } from '../render/quote.ts';

/**
 * What has come of a file so far. It is a directory of its own, `downloads/SHA-256 OF THE URL`, with the bytes and what they
 * are a part of. A process takes it by giving it another name, which no other process knows, and gives it back under the
 * first one: of several processes, one goes on where it was left, and the others begin anew.
 */
export interface PartialFile extends AsyncDisposable {
  readonly path: string;
  readonly file: FileHandle;
  /** What the beginning belongs to, for If-Range; without it, nothing can be added to it. */
  readonly validator: string | undefined;
  size(): number;
  /** Nothing of it is any good: what comes belongs to this. */
  restart(validator: string | undefined): Promise<void>;
  /** Leaves it for another time, if it can be gone on with. Otherwise, disposing removes it. */
  keep(): Promise<void>;
}

const BYTES = 'bytes';
const VALIDATOR = 'validator';
/** What nobody has gone on with for so long is removed. */
const KEPT_MS = 24 * 3600 * 1000;

/** Takes what there is of a URL's file below a directory, or makes an empty one. @throws {CliError} ERR_RKT_CLI_FILE */
export async function takePartialFile(directory: string, url: URL, now: number): Promise<PartialFile> {
  const shared = join(directory, createHash('sha256').update(url.href).digest('hex'));
  const own = `${shared}.${randomUUID()}`;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await removeOld(directory, now);
    await takeOrMake(shared, own);
    const path = join(own, BYTES);
    const file = await open(path, 'a+', 0o600);
    return partialFile({ shared, own, path, file });
  } catch (error) {
    throw unusable(own, error);
  }
}

async function takeOrMake(shared: string, own: string): Promise<void> {
  try {
    await rename(shared, own);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await mkdir(own, { mode: 0o700 });
  }
}

interface Place {
  readonly shared: string;
  readonly own: string;
  readonly path: string;
  readonly file: FileHandle;
}

function partialFile({ shared, own, path, file }: Place): PartialFile {
  let validator = readValidator(own);
  let isKept = false;
  const size = (): number => statSync(path).size;
  const close = async (): Promise<void> => {
    await file.close();
    if (!isKept) await rm(own, { recursive: true, force: true });
  };
  return {
    path,
    file,
    size,
    get validator() {
      return validator;
    },
    restart: async (belongsTo) => {
      await file.truncate(0);
      await rm(join(own, VALIDATOR), { force: true });
      if (belongsTo !== undefined) await writeFile(join(own, VALIDATOR), belongsTo, { mode: 0o600 });
      validator = belongsTo;
    },
    keep: async () => {
      if (validator === undefined || size() === 0) return;
      try {
        await rename(own, shared);
        isKept = true;
      } catch (error) {
        // Another process has left its own, which is as good.
        if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw unusable(shared, error);
      }
    },
    [Symbol.asyncDispose]: close,
  };
}

function readValidator(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, VALIDATOR), 'latin1') || undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function removeOld(directory: string, now: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const written = statSync(join(path, BYTES), { throwIfNoEntry: false }) ?? statSync(path, { throwIfNoEntry: false });
    if (written !== undefined && now - written.mtimeMs > KEPT_MS) await rm(path, { recursive: true, force: true });
  }
}

function unusable(path: string, error: unknown): unknown {
  if (errnoOf(error) === undefined) return error;
  return new CliError('ERR_RKT_CLI_FILE', `cannot keep a download in ${quote(path)}: ${reasonOf(error)}`, {
    cause: error,
  });
}
