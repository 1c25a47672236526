// SPDX-License-Identifier: Apache-2.0
import { AppcError, isAppcError, quoteUntrusted } from '@rkt/appc';
import { expect, it } from 'vitest';

it('is known by its name and code, and carries where and why', () => {
  const cause = new Error('why');
  const error = new AppcError('ERR_RKT_APPC_INDEX', 'broken', { offset: 7, path: 'a/b', cause });
  expect(error).toMatchObject({ name: 'AppcError', code: 'ERR_RKT_APPC_INDEX', offset: 7, path: 'a/b', cause });
  expect(isAppcError(error)).toBe(true);
  expect('cause' in new AppcError('ERR_RKT_APPC_INDEX', 'broken')).toBe(false);
  for (const other of [cause, undefined, null, 'AppcError', { name: 'AppcError', code: 'x' }])
    expect(isAppcError(other)).toBe(false);
});

it('quotes text so that it can be shown anywhere, and not too much of it', () => {
  expect(quoteUntrusted('a"b\\c\n\x9b\u202e')).toBe('"a\\"b\\\\c\\x0a\\x9b\\u202e"');
  expect(quoteUntrusted('x'.repeat(201))).toBe(`"${'x'.repeat(200)}"...`);
});
