// SPDX-License-Identifier: Apache-2.0
import { isStoreError, StoreError } from '@rkt/store';
import { describe, expect, it } from 'vitest';
import { printable, toStoreError } from '../src/errors.ts';

describe('failures of the system', () => {
  it.each([
    ['ENOSPC', 'ERR_RKT_STORE_DISK_FULL'],
    ['EDQUOT', 'ERR_RKT_STORE_DISK_FULL'],
    ['EACCES', 'ERR_RKT_STORE_PERMISSION'],
    ['EPERM', 'ERR_RKT_STORE_PERMISSION'],
    ['EROFS', 'ERR_RKT_STORE_PERMISSION'],
    ['EIO', 'ERR_RKT_STORE_IO'],
  ])('%s becomes %s', (code, expected) => {
    const cause = Object.assign(new Error(`${code}: said the system`), { code, syscall: 'write' });
    expect(toStoreError(cause, 'cannot write', '/store')).toMatchObject({ code: expected, path: '/store', cause });
  });

  it('name what may not be used', () => {
    const cause = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open' });
    const error = toStoreError(cause, 'cannot look at the store', '/var/lib/\u001brkt');
    expect(error).toMatchObject({ message: 'cannot look at the store: permission denied: "/var/lib/?rkt"' });
  });

  it.each([
    [5, 'ERR_RKT_STORE_BUSY'],
    [8, 'ERR_RKT_STORE_PERMISSION'],
    [267, 'ERR_RKT_STORE_CORRUPT'],
    [26, 'ERR_RKT_STORE_CORRUPT'],
    [13, 'ERR_RKT_STORE_DISK_FULL'],
    [4874, 'ERR_RKT_STORE_DISK_FULL'],
    [266, 'ERR_RKT_STORE_IO'],
  ])('SQLite result %i becomes %s', (errcode, expected) => {
    expect(toStoreError(Object.assign(new Error('database'), { errcode }), 'database')).toMatchObject({
      code: expected,
    });
  });

  it('that are none pass unchanged', () => {
    for (const error of [
      new TypeError('x'),
      new StoreError('ERR_RKT_STORE_BUSY', 'x'),
      'text',
      new DOMException('a', 'AbortError'),
    ]) {
      expect(toStoreError(error, 'anything')).toBe(error);
    }
  });
});

describe('text from elsewhere', () => {
  it('reaches a message without control characters and cut to 200 characters', () => {
    expect(printable('a\u001b[31m\n\u202eb')).toBe('a?[31m??b');
    expect(printable('x'.repeat(500))).toHaveLength(200);
  });
});

describe('isStoreError', () => {
  it('knows errors of this package from others', () => {
    expect(isStoreError(new StoreError('ERR_RKT_STORE_IO', 'x'))).toBe(true);
    for (const other of [new Error('x'), { name: 'StoreError', code: 'x' }, undefined])
      expect(isStoreError(other)).toBe(false);
  });
});
