// SPDX-License-Identifier: Apache-2.0
import { StoreError } from '../errors.ts';
import type { Row } from './database.ts';

/** @throws CORRUPT when the column is not text */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw wrongType(column, 'text', value);
}

/** @throws CORRUPT when the column is not an integer */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === 'number') return value;
  throw wrongType(column, 'an integer', value);
}

/** A column that holds a JSON array of strings. @throws CORRUPT */
export function textsOf(row: Row, column: string): readonly string[] {
  const value: unknown = JSON.parse(textOf(row, column));
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw wrongType(column, 'a list of texts', value);
}

function wrongType(column: string, expected: string, got: unknown): StoreError {
  return new StoreError('ERR_RKT_STORE_CORRUPT', `database column ${column}: expected ${expected}, got ${typeof got}`);
}
