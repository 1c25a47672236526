// SPDX-License-Identifier: Apache-2.0
import {
  acVersion,
  type ImageId,
  isAcIdentifier,
  isAcName,
  isImageId,
  isImageIdPrefix,
  parseImageId,
  sanitizeAcIdentifier,
  sanitizeAcName,
  shortImageId,
} from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appcError } from '../appc-error.ts';

const id: ImageId = `sha512-${'0123456789abcdef'.repeat(8)}`;

describe('AC names', () => {
  it.each(['a', 'redis', 'a-b', 'a--b', '80-tcp', 'volume-root--cache'])('accept %j', (name) => {
    expect([isAcName(name), isAcIdentifier(name)]).toEqual([true, true]);
  });
  it.each(['', '-a', 'a-', 'A', 'a_b', 'a/b', 'a b', 'a\n', 'é'])('refuse %j', (name) => {
    expect(isAcName(name)).toBe(false);
  });
  it('as identifiers may hold separators, also in runs, but not at the edges', () => {
    for (const name of ['example.com/a-b_c~d', 'my__img', 'registry-1.docker.io/library/redis'])
      expect(isAcIdentifier(name)).toBe(true);
    for (const name of ['', '/a', 'a/', '.a', 'a_', 'a:b', 'A']) expect(isAcIdentifier(name)).toBe(false);
  });
});

describe('sanitizing', () => {
  it.each([
    ['80/tcp', '80-tcp'],
    ['/var/lib/MySQL', 'var-lib-mysql'],
    ['--a--', 'a'],
    ['a_b', 'a-b'],
    ['x\u{1f600}y', 'x-y'],
  ])('makes the name %j %j', (text, name) => {
    expect(sanitizeAcName(text)).toBe(name);
  });
  it.each([
    ['localhost:5000/Foo', 'localhost_5000/foo'],
    ['/a/b/', 'a/b'],
    ['My__Img', 'my__img'],
    ['a@b', 'a_b'],
  ])('makes the identifier %j %j', (text, name) => {
    expect(sanitizeAcIdentifier(text)).toBe(name);
  });
  it.each(['', '---', '///', '\u0000'])('refuses %j, of which nothing is left', (text) => {
    for (const sanitize of [sanitizeAcName, sanitizeAcIdentifier])
      expect(appcError(() => sanitize(text)).code).toBe('ERR_RKT_APPC_NAME');
  });
  it('gives valid names that stay as they are, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [name, identifier] = [sanitizeAcName(`a${text}`), sanitizeAcIdentifier(`a${text}`)];
        expect([isAcName(name), isAcIdentifier(identifier)]).toEqual([true, true]);
        expect([sanitizeAcName(name), sanitizeAcIdentifier(identifier)]).toEqual([name, identifier]);
      }),
    );
  });
  it('takes linear time on a long run of separators', () => {
    const started = performance.now();
    expect(sanitizeAcIdentifier(`a${'_'.repeat(1_000_000)}b`)).toHaveLength(1_000_002);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('image IDs', () => {
  it('are sha512- and 128 lower-case hex digits', () => {
    expect(parseImageId(id)).toBe(id);
    for (const other of ['', id.slice(0, -1), `${id}0`, id.toUpperCase(), id.replace('-', ':'), ` ${id}`, `${id}\n`]) {
      expect(isImageId(other)).toBe(false);
      expect(appcError(() => parseImageId(other)).code).toBe('ERR_RKT_APPC_IMAGE_ID');
    }
    expect(isImageId(5)).toBe(false);
  });
  it('are shown in three lengths', () => {
    expect([shortImageId(id), shortImageId(id, 'list'), shortImageId(id, 'key')].map((text) => text.length)).toEqual([
      39, 19, 71,
    ]);
    expect(shortImageId(id)).toBe('sha512-0123456789abcdef0123456789abcdef');
  });
  it('are found by a prefix of two digits or more', () => {
    for (const prefix of ['sha512-ab', shortImageId(id), id]) expect(isImageIdPrefix(prefix)).toBe(true);
    for (const prefix of ['sha512-', 'sha512-a', 'sha512-AB', 'ab', `${id}0`, 'sha512-ab*'])
      expect(isImageIdPrefix(prefix)).toBe(false);
  });
});

it('states the version of the spec', () => {
  expect(acVersion).toBe('0.8.11');
});
