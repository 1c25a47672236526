// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { cacheStateOf, formatCacheState, isFresh, parseCacheState } from '../../src/downloads/cache-control.ts';

describe('what a server says about caching', () => {
  it.each([
    ['max-age=60', 60],
    ['public, Max-Age=60, must-revalidate', 60],
    ['max-age="60"', 60],
    ['max-age=60, no-cache', 0],
    ['no-store,max-age=60', 0],
    ['max-age=-1', 0],
    ['max-age=1e9', 0],
    ['max-age=99999999999999999999', 0],
    ['max-age=999999999', 31_536_000],
    ['s-maxage=60', 0],
    ['', 0],
  ])('%j holds for %i s', (field, maxAge) => {
    expect(cacheStateOf({ 'cache-control': field }).maxAge).toBe(maxAge);
  });

  it.each(['"abc"', 'W/"abc"', '""'])('has the entity tag %s, which is kept as text', (etag) => {
    const state = cacheStateOf({ etag, 'cache-control': 'max-age=7' });
    expect(state).toEqual({ etag, maxAge: 7 });
    expect(parseCacheState(formatCacheState(state))).toEqual(state);
  });

  it.each(['abc', '"a b"', '"a"b"', '"\u00e9"', `"${'x'.repeat(300)}"`, '"a\r\nX: y"', undefined])(
    'has no entity tag of %j',
    (etag) => {
      expect(cacheStateOf({ etag }).etag).toBeUndefined();
      expect(parseCacheState(`max-age=1 etag=${etag}`).etag).toBeUndefined();
    },
  );

  it('is nothing when it was written by somebody else', () => {
    expect(parseCacheState(`sha256:${'0'.repeat(64)}`)).toEqual({ etag: undefined, maxAge: 0 });
  });

  it('holds for as long, and not before it was said', () => {
    const state = { etag: undefined, maxAge: 2 };
    expect([999, 1000, 2999, 3000].map((now) => isFresh(state, 1000, now))).toEqual([false, true, true, false]);
  });
});
