// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openReader } from '../src/records/read-only.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Rows are large, so that the table and what is beside it take many pages. */
const ROW = 'x'.repeat(3000);

describe('a database that is read where nothing may be made beside it', () => {
  it('is read anew once somebody has written it', () => {
    const { path, write, count, reader } = sample();
    expect(reader.read(count)).toBe(1);
    write(50);
    expect(reader.read(count)).toBe(51);
    reader.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it('is read once more when it is written meanwhile', () => {
    const { write, count, reader } = sample();
    let attempts = 0;
    const found = reader.read((database) => {
      attempts += 1;
      const before = count(database);
      if (attempts < 3) write(20);
      return before;
    });
    expect([found, attempts]).toEqual([41, 3]);
  });

  it('is read with its log while a writer has it open', () => {
    const { path, count, reader } = sample();
    expect(reader.read(count)).toBe(1);
    const writer = new DatabaseSync(path);
    insert(writer, 5);
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect(reader.read(count)).toBe(6);
    insert(writer, 1);
    expect(reader.read(count)).toBe(7);
    writer.close();
    expect(reader.read(count)).toBe(7);
  });

  it('counts as busy when it is written during every attempt', () => {
    const { write, count, reader } = sample();
    const read = () =>
      reader.read((database) => {
        write(1);
        return count(database);
      });
    expect(read).toThrow(expect.objectContaining({ code: 'ERR_RKT_STORE_BUSY' }));
    expect(reader.read(count)).toBe(11);
  });

  it('is no longer damaged once what a writer was at is done', () => {
    const { path, count, reader } = sample();
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.alloc(whole.length, 'torn'));
    let attempts = 0;
    const found = reader.read((database) => {
      attempts += 1;
      if (attempts === 3) writeFileSync(path, whole);
      return count(database);
    });
    expect(found).toBe(1);
  });

  it('is damaged when it stays so', () => {
    const { path, count, reader } = sample();
    writeFileSync(path, 'not a database'.repeat(1000));
    let attempts = 0;
    const read = () =>
      reader.read((database) => {
        attempts += 1;
        return count(database);
      });
    expect(read).toThrow(expect.objectContaining({ errcode: 26 }));
    expect(attempts).toBe(10);
  });

  it('passes on what goes wrong otherwise, at once', () => {
    const { reader } = sample();
    let attempts = 0;
    const read = () =>
      reader.read(() => {
        attempts += 1;
        throw new TypeError('mine');
      });
    expect(read).toThrow('mine');
    expect(attempts).toBe(1);
  });
});

function sample() {
  const path = join(temporaryDirectory(), 'db');
  const write = (rows: number): void => {
    const database = new DatabaseSync(path);
    insert(database, rows);
    database.close();
  };
  write(1);
  const reader = openReader({
    path,
    connect: (location) => {
      // Nobody but root can do so in a directory of somebody else's: it is as if the tests were not root's.
      if (location === path && !existsSync(`${path}-wal`)) throw cannotOpen();
      return new DatabaseSync(location, { readOnly: true });
    },
    prepare: (connection) => connection,
  });
  const count = (database: DatabaseSync): unknown =>
    database.prepare('SELECT count(*) AS n FROM t WHERE length(text) = 3000').get()?.['n'];
  return { path, write, count, reader };
}

function insert(database: DatabaseSync, rows: number): void {
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (text TEXT NOT NULL) STRICT');
  for (let row = 0; row < rows; row += 1) database.prepare('INSERT INTO t VALUES (?)').run(ROW);
}

function cannotOpen(): Error {
  return Object.assign(new Error('unable to open database file'), { code: 'ERR_SQLITE_ERROR', errcode: 14 });
}
