// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ANY_ALGORITHM,
  compareReferences,
  formatAnyReference,
  formatCanonical,
  formatRepository,
  isPinned,
  isReferenceSyntaxError,
  parseAnyReference,
  parseReference,
  repositoryOf,
  sortReferences,
  tryParseReference,
  withDefaultTag,
} from '../src/index.ts';

const hex = '0123456789abcdef'.repeat(4);
const digest = `sha256:${hex}` as const;

describe('any reference', () => {
  it.each([
    [hex, digest],
    [digest, digest],
    [`sha512:${hex}${hex}`, `sha512:${hex}${hex}`],
    ['nginx', 'docker.io/library/nginx:latest'],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    ['md5:abc', 'docker.io/library/md5:abc'],
    [hex.slice(1), `docker.io/library/${hex.slice(1)}:latest`],
  ])('%s is %s', (input, formatted) => {
    expect(formatAnyReference(parseAnyReference(input))).toBe(formatted);
  });

  it('adds no tag when told so, as Go’s does', () => {
    expect(formatAnyReference(parseAnyReference('nginx', { defaultTag: false }))).toBe('docker.io/library/nginx');
  });

  it('is read back from how it is written, or refused with an error of ours', () => {
    const pieces = fc.constantFrom('a', 'B', '/', ':', '@', '.', '-', '_', 'sha256:', hex, '[::1]', 'é', '\0');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        try {
          const formatted = formatAnyReference(parseAnyReference(parts.join('')));
          expect(formatAnyReference(parseAnyReference(formatted))).toBe(formatted);
        } catch (error) {
          if (!isReferenceSyntaxError(error)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('parts of a reference', () => {
  it('are the name, what decides, and whether that is a digest', () => {
    const both = parseReference(`quay.io/a/b:1@${digest}`);
    expect(formatRepository(both)).toBe('quay.io/a/b');
    expect(repositoryOf(both)).toEqual({ domain: 'quay.io', path: 'a/b' });
    expect(formatCanonical(both)).toBe(`quay.io/a/b@${digest}`);
    expect(formatCanonical(parseReference('quay.io/a/b:1'))).toBe('quay.io/a/b:1');
    expect([isPinned(both), isPinned(parseReference('a'))]).toEqual([true, false]);
  });

  it('get a default tag only where nothing says what is meant', () => {
    const bare = parseReference('quay.io/a/b', { defaultTag: false });
    expect(bare.tag).toBeUndefined();
    expect(withDefaultTag(bare).tag).toBe('latest');
    expect(withDefaultTag(bare, 'stable').tag).toBe('stable');
    expect(withDefaultTag(parseReference('a:1')).tag).toBe('1');
    expect(withDefaultTag(parseReference(`a@${digest}`)).tag).toBeUndefined();
  });

  it('must be written out in mode canonical', () => {
    expect(tryParseReference('docker.io/library/nginx', { mode: 'canonical' })?.path).toBe('library/nginx');
    expect(() => parseReference('docker.io/nginx', { mode: 'canonical' })).toThrow(
      expect.objectContaining({ code: 'ERR_RKT_REFPARSE_NOT_CANONICAL' }),
    );
  });

  it('may be of algorithms the caller registers, or of any', () => {
    const blake3 = `blake3:${hex}`;
    expect(() => parseReference(`a@${blake3}`)).toThrow(
      expect.objectContaining({ code: 'ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED' }),
    );
    const algorithms = { hexLengths: { blake3: 64 } };
    expect(parseReference(`a@${blake3}`, { algorithms }).digest).toBe(blake3);
    expect(() => parseReference('a@blake3:00', { algorithms })).toThrow(
      expect.objectContaining({ code: 'ERR_RKT_REFPARSE_DIGEST_INVALID' }),
    );
    expect(parseReference(`a@x+y:${hex}`, { algorithms: ANY_ALGORITHM }).digest).toBe(`x+y:${hex}`);
  });
});

describe('sorting', () => {
  it('has what says most first, and what is no reference last, as written', () => {
    const sorted = sortReferences([digest, 'B a d', 'nginx', `nginx@${digest}`, 'nginx:1', `nginx:1@${digest}`, 'a:2']);
    expect(sorted).toEqual([
      `docker.io/library/nginx:1@${digest}`,
      'docker.io/library/a:2',
      'docker.io/library/nginx:1',
      `docker.io/library/nginx@${digest}`,
      'docker.io/library/nginx',
      digest,
      'B a d',
    ]);
  });

  it('compares in the same order', () => {
    const parsed = ['nginx:1', digest, 'a:1'].map((input) => parseAnyReference(input, { defaultTag: false }));
    expect(parsed.sort(compareReferences).map(formatAnyReference)).toEqual([
      'docker.io/library/a:1',
      'docker.io/library/nginx:1',
      digest,
    ]);
  });
});
