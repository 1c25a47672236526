// SPDX-License-Identifier: Apache-2.0
import { closeSync, fchmodSync, openSync, statSync, writeFileSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { hasErrno, isNotFound, isStoreError, StoreError, toStoreError } from '../errors.ts';
import { openReader } from './read-only.ts';
import { MIGRATIONS } from './schema.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** Statements, compiled once each. */
export interface Sql {
  all(sql: string, ...parameters: readonly SQLInputValue[]): readonly Row[];
  get(sql: string, ...parameters: readonly SQLInputValue[]): Row | undefined;
  /** @returns how many rows changed */
  run(sql: string, ...parameters: readonly SQLInputValue[]): number;
}

/**
 * The database of a store. Everything is synchronous: a transaction cannot be interleaved with another one of this
 * process, and none does anything slow.
 */
export interface Database {
  /** Reads outside of a transaction. */
  read<T>(work: (sql: Sql) => T): T;
  /** All or nothing, durable when it returns unless said otherwise. What `work` throws rolls back. */
  transaction<T>(work: (sql: Sql) => T, options?: TransactionOptions): T;
  /** As {@link transaction}, then rolls back in any case: to see what would happen. */
  rehearse<T>(work: (sql: Sql) => T): T;
  /** Reads all of the database and says whether it holds together. */
  isSound(): boolean;
  close(): void;
}

export interface TransactionOptions {
  /**
   * False for what is only worth something while this kernel runs, or a hint: a power cut may undo it, but never a part of
   * it. Durable transactions make those before them durable, too.
   * @default true
   */
  readonly durable?: boolean;
}

export interface OpenDatabaseOptions {
  readonly readOnly: boolean;
  /** Of the file, if it is made here. */
  readonly mode: number;
  readonly step: (step: string) => void;
}

/** How long one process waits for another's transaction; they take milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens the database file, making and migrating it as needed.
 *
 * @throws NEWER_FORMAT, CORRUPT, BUSY, DISK_FULL, PERMISSION, IO
 */
export async function openDatabase(path: string, options: OpenDatabaseOptions): Promise<Database> {
  const sqlite = await import('node:sqlite');
  const open = { timeout: BUSY_TIMEOUT_MS };
  if (options.readOnly) {
    return readOnlyDatabase((location) => new sqlite.DatabaseSync(location, { ...open, readOnly: true }), path);
  }
  const guard = guardFor(path, false);
  return guard(() => {
    create(path, options.mode);
    const connection = new sqlite.DatabaseSync(path, open);
    try {
      connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      const database = databaseOn(connection, path, options.step);
      migrate(database, connection, path);
      return database;
    } catch (error) {
      connection.close();
      throw error;
    }
  });
}

/**
 * SQLite would let everybody read a database it makes; the files it puts beside it take the mode of this one. One that is
 * there must not be opened here: to close it would drop the locks this process has on it (fcntl(2)).
 */
function create(path: string, mode: number): void {
  let fd: number;
  try {
    fd = openSync(path, 'wx', mode);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    return;
  }
  try {
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

/** A file whose presence says that the database was seen to be damaged. */
export function suspicionFile(database: string): string {
  return `${database}.suspect`;
}

/** Whoever may not write reads what is there; all else is refused. */
function readOnlyDatabase(connect: (location: string | URL) => DatabaseSync, path: string): Database {
  const guard = guardFor(path, true);
  const reader = openReader({ path, connect, prepare: statementsOn });
  const refuse = (): never => {
    throw new StoreError('ERR_RKT_STORE_PERMISSION', 'the store is open read-only', { path });
  };
  const database: Database = {
    read: (work) => guard(() => reader.read(work)),
    transaction: refuse,
    rehearse: refuse,
    isSound: () => database.read(isSound),
    close: () => reader.close(),
  };
  try {
    refuseOtherVersion(database, path);
  } catch (error) {
    reader.close();
    throw error;
  }
  return database;
}

function isSound(sql: Sql): boolean {
  return sql.get('PRAGMA integrity_check(1)')?.['integrity_check'] === 'ok';
}

function databaseOn(connection: DatabaseSync, path: string, step: OpenDatabaseOptions['step']): Database {
  const guard = guardFor(path, false);
  const sql = statementsOn(connection);
  const inode = inodeOf(path);
  const requireSame = (): void => {
    if (inodeOf(path) === inode) return;
    const text = 'the database was rebuilt meanwhile: open the store again';
    throw new StoreError('ERR_RKT_STORE_CORRUPT', text, { path });
  };
  const transact = <T>(work: (sql: Sql) => T, end: 'COMMIT' | 'ROLLBACK', name = end.toLowerCase()): T =>
    guard(() => {
      requireSame();
      connection.exec('BEGIN IMMEDIATE');
      try {
        const result = work(sql);
        step(`${name} ${path}`);
        connection.exec(end);
        // What went into a database that is no longer the store's is lost.
        requireSame();
        return result;
      } catch (error) {
        if (connection.isTransaction) connection.exec('ROLLBACK');
        throw error;
      }
    });
  return {
    read: (work) => guard(() => work(sql)),
    transaction: (work, { durable = true } = {}) => {
      if (durable) return transact(work, 'COMMIT');
      // https://www.sqlite.org/pragma.html#pragma_synchronous: with a WAL, NORMAL leaves out the commit's fsync alone.
      connection.exec('PRAGMA synchronous = NORMAL');
      try {
        return transact(work, 'COMMIT', 'commit-unsynced');
      } finally {
        connection.exec('PRAGMA synchronous = FULL');
      }
    },
    isSound: () => guard(() => isSound(sql)),
    rehearse: (work) => transact(work, 'ROLLBACK'),
    close: () => connection.close(),
  };
}

function statementsOn(connection: DatabaseSync): Sql {
  const compiled = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const known = compiled.get(sql);
    if (known !== undefined) return known;
    const fresh = connection.prepare(sql);
    compiled.set(sql, fresh);
    return fresh;
  };
  return {
    all: (sql, ...parameters) => statement(sql).all(...parameters),
    get: (sql, ...parameters) => statement(sql).get(...parameters),
    run: (sql, ...parameters) => Number(statement(sql).run(...parameters).changes),
  };
}

function migrate(database: Database, connection: DatabaseSync, path: string): void {
  if (versionOf(database, path) === MIGRATIONS.length) return;
  database.transaction((sql) => {
    // Asked again under the write lock: another process may have been faster.
    connection.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT');
    const version = readVersion(sql) ?? 0;
    for (const migration of MIGRATIONS.slice(version)) connection.exec(migration);
    sql.run('DELETE FROM schema_version');
    sql.run('INSERT INTO schema_version (version) VALUES (?)', MIGRATIONS.length);
  });
}

function refuseOtherVersion(database: Database, path: string): void {
  const version = versionOf(database, path);
  if (version === MIGRATIONS.length) return;
  throw new StoreError(
    'ERR_RKT_STORE_PERMISSION',
    `the database has version ${version} and cannot be brought to ${MIGRATIONS.length}: the store is open read-only`,
    { path },
  );
}

/** @throws NEWER_FORMAT */
function versionOf(database: Database, path: string): number {
  const version = database.read((sql) => {
    const exists = sql.get("SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'") !== undefined;
    return exists ? (readVersion(sql) ?? 0) : 0;
  });
  if (version <= MIGRATIONS.length) return version;
  throw new StoreError(
    'ERR_RKT_STORE_NEWER_FORMAT',
    `the database has version ${version}, this program knows versions up to ${MIGRATIONS.length}`,
    { path },
  );
}

function readVersion(sql: Sql): number | undefined {
  const version = sql.get('SELECT version FROM schema_version')?.['version'];
  return typeof version === 'number' ? version : undefined;
}

function guardFor(path: string, readOnly: boolean): <T>(work: () => T) => T {
  return (work) => {
    try {
      return work();
    } catch (error) {
      const translated = toStoreError(error, 'store database', path);
      // Only SQLite's own complaints have a cause.
      const isDamage = isStoreError(translated) && translated.code === 'ERR_RKT_STORE_CORRUPT' && translated.cause;
      if (isDamage && !readOnly) leaveSuspicion(path);
      throw translated;
    }
  };
}

/** Damage deep inside does not show when the database is opened: the next to open it looks closer. */
export function leaveSuspicion(path: string): void {
  try {
    writeFileSync(suspicionFile(path), '', { mode: 0o600 });
  } catch {
    // A hint that cannot be left must not hide the error that gave reason for it.
  }
}

function inodeOf(path: string): bigint | undefined {
  try {
    return statSync(path, { bigint: true }).ino;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
