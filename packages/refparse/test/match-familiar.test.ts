// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReferenceSyntaxError, matchFamiliar, parseReference } from '../src/index.ts';

describe('a pattern', () => {
  it.each([
    ['nginx', 'nginx:1', true],
    ['nginx:1', 'nginx:1', true],
    ['nginx:2', 'nginx:1', false],
    ['ngin?', 'nginx', true],
    ['n*', 'nginx', true],
    ['*', 'quay.io/a/b', false],
    ['quay.io/*', 'quay.io/a/b', false],
    ['quay.io/*/*', 'quay.io/a/b', true],
    ['*/b', 'a/b', true],
    ['[a-n]ginx', 'nginx', true],
    ['[^n]ginx', 'nginx', false],
    ['\\nginx', 'nginx', true],
    ['n\\*', 'nginx', false],
    ['**x', 'nginx', true],
    ['docker.io/library/nginx', 'nginx', false],
    ['nginx:latest', 'nginx', true],
    ['', 'nginx', false],
  ])('%j on %s: %s', (pattern, reference, expected) => {
    expect(matchFamiliar(pattern, parseReference(reference))).toBe(expected);
  });

  it.each(['[', '[a', '[]a]', '[a-]', '[-a]', '\\', 'a\\', '[\\', 'x'.repeat(1025)])('%j is refused', (pattern) => {
    expect(() => matchFamiliar(pattern, parseReference('nginx'))).toThrow(
      expect.objectContaining({ code: 'ERR_RKT_REFPARSE_PATTERN_INVALID' }),
    );
  });

  it('gives an answer or an error of ours, whatever it is', () => {
    const pieces = fc.constantFrom('*', '?', '[', ']', '\\', '-', '^', '/', 'a', 'é', '😀');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        try {
          expect(typeof matchFamiliar(parts.join(''), parseReference('quay.io/a/b-a:a'))).toBe('boolean');
        } catch (error) {
          if (!isReferenceSyntaxError(error)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('of nothing but stars is over at once', () => {
    const reference = parseReference(`${'a'.repeat(240)}:${'a'.repeat(128)}`);
    expect(matchFamiliar(`${'*a'.repeat(400)}b`, reference)).toBe(false);
  });
});
