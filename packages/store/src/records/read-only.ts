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
  let current: Connection<C> | undefined;
  const close = (): void => {
    current?.connection.close();
    current = undefined;
  };
  return {
    read: (work) => {
      for (let attempt = 1; ; attempt += 1) {
        const outcome = attemptRead(() => {
          current ??= open(options);
          return work(current.on);
        });
        const { asItWas } = current ?? {};
        const hasChanged = asItWas !== undefined && asItWas !== fingerprint(options.path);
        if (outcome.ok && !hasChanged) return outcome.value;
        const mayPass = hasChanged || (!outcome.ok && isWorthAnother(outcome.error, options.path, asItWas));
        if (!outcome.ok && !mayPass) throw outcome.error;
        close();
        if (attempt < MOST_ATTEMPTS) continue;
        throw outcome.ok || hasChanged ? busy(options.path) : outcome.error;
      }
    },
    close,
  };
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

function attemptRead<T>(work: () => T): Outcome<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Whether what failed may have met a writer that came or went just then. */
function isWorthAnother(error: unknown, path: string, asItWas: string | undefined): boolean {
  const known = toStoreError(error, 'store database', path);
  if (!isStoreError(known) || known === error) return false;
  if (known.code === 'ERR_RKT_STORE_CORRUPT') return asItWas !== undefined;
  // The log was there, and so the file was not read as it is, but not what is shared of it, or not any more.
  return known.code === 'ERR_RKT_STORE_PERMISSION' && asItWas === undefined;
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
