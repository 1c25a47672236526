// SPDX-License-Identifier: Apache-2.0
import { existsSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { isNotFound, isStoreError, StoreError, toStoreError } from '../errors.ts';

/** Reads of a database by somebody who may not write it. */
export interface Reader<C> {
  /**
   * What `work` gives of the database as it is at some moment of the call. It may run several times, and must do nothing but read.
   *
   * @throws BUSY when the database is written all the time, CORRUPT, PERMISSION, IO
   */
  read<T>(work: (on: C) => T): T;
  close(): void;
}

export interface ReaderOptions<C> {
  readonly path: string;
  /** Opens a connection that only reads. */
  readonly connect: (location: string | URL) => DatabaseSync;
  /** What `work` is given of each connection. */
  readonly prepare: (connection: DatabaseSync) => C;
}

interface Connection<C> {
  readonly connection: DatabaseSync;
  readonly on: C;
  /** What the file was before it was opened, if it is read as it is. */
  readonly asItWas: string | undefined;
}

/** A writer that comes, or goes, makes one more attempt necessary. */
const MOST_ATTEMPTS = 10;

/**
 * WAL needs a shared-memory file beside the database. Who may not make one, since the file system or the mode of the directory
 * is against it, finds one only while a writer has the database open; at other times the file is read as it is. SQLite then takes
 * no locks and relies on it that nothing changes, so whether that is so is looked at here, after each read: if not, the database
 * is opened again.
 */
export function openReader<C>(options: ReaderOptions<C>): Reader<C> {
  const { path } = options;
  let current: Connection<C> | undefined;
  const close = (): void => {
    current?.connection.close();
    current = undefined;
  };
  const attempt = <T>(work: (on: C) => T): Outcome<T> => {
    try {
      current ??= open(options);
      const value = work(current.on);
      if (!hasChanged(current, path)) return { ok: true, value };
    } catch (error) {
      if (current === undefined || !hasChanged(current, path)) {
        return { ok: false, error, mayPass: mayHaveMetWriter(error, current, path) };
      }
    }
    return { ok: false, error: busy(path), mayPass: true };
  };
  return {
    read: (work) => {
      for (let left = MOST_ATTEMPTS; ; left -= 1) {
        const outcome = attempt(work);
        if (outcome.ok) return outcome.value;
        if (outcome.mayPass) close();
        if (!outcome.mayPass || left === 1) throw outcome.error;
      }
    },
    close,
  };
}

type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  /** `mayPass`: another attempt may do better. */
  | { readonly ok: false; readonly error: unknown; readonly mayPass: boolean };

function hasChanged({ asItWas }: Connection<unknown>, path: string): boolean {
  return asItWas !== undefined && asItWas !== fingerprint(path);
}

/** Whether what failed may have failed since a writer came or went just then. */
function mayHaveMetWriter(error: unknown, current: Connection<unknown> | undefined, path: string): boolean {
  const known = toStoreError(error, 'store database', path);
  if (!isStoreError(known) || known === error) return false;
  // Read as it is; half of what was written may have been seen.
  if (current?.asItWas !== undefined) return known.code === 'ERR_RKT_STORE_CORRUPT';
  // There was a log, but not what is shared of it, or not any more.
  return known.code === 'ERR_RKT_STORE_PERMISSION';
}

function busy(path: string): StoreError {
  return new StoreError('ERR_RKT_STORE_BUSY', 'the database changed during each of several attempts to read it', {
    path,
  });
}

function open<C>({ path, connect, prepare }: ReaderOptions<C>): Connection<C> {
  let shared: DatabaseSync | undefined;
  try {
    shared = connect(path);
    shared.prepare('SELECT count(*) FROM sqlite_schema').get();
    return { connection: shared, on: prepare(shared), asItWas: undefined };
  } catch (error) {
    shared?.close();
    if (existsSync(`${path}-wal`)) throw error;
  }
  const asItWas = fingerprint(path);
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  const connection = connect(url);
  return { connection, on: prepare(connection), asItWas };
}

/** Changes when the file is written, replaced, or about to be written. */
function fingerprint(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs, existsSync(`${path}-wal`)].join(' ');
  } catch (error) {
    if (isNotFound(error)) return '';
    throw error;
  }
}
