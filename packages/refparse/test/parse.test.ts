// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  formatReference,
  isReferenceSyntaxError,
  parseReference,
  ReferenceSyntaxError,
  tryParseReference,
} from '../src/index.ts';
import { readVectors } from './vectors.ts';

const optional = (text: string | undefined): string | undefined => (text === '-' ? undefined : text);

describe('parseReference', () => {
  it.each(readVectors('references_valid.txt'))('reads %j', (input = '', ...expected) => {
    const [domain, path, tag, digest] = expected;
    const reference = parseReference(input);
    expect(reference).toEqual({ domain, path, tag: optional(tag), digest: optional(digest) });
    expect(parseReference(formatReference(reference))).toEqual(reference);
  });

  it.each(readVectors('references_invalid.txt'))('refuses %j as %s', (input = '', code, offset) => {
    const error = thrown(() => parseReference(input));
    expect({ code: error.code, offset: error.offset, input: error.input }).toEqual({
      code: `ERR_RKT_REFPARSE_${code}`,
      offset: Number(offset),
      input,
    });
    expect(tryParseReference(input)).toBeUndefined();
  });

  it('quotes hostile input so that a message is one printable line', () => {
    const error = thrown(() => parseReference('a\u001b[31m\n\u202e"x'));
    expect(error.message).toMatch(/^[\x20-\x7e]+$/);
    expect(error.message).toContain('\\u001b');
    expect(error).toBeInstanceOf(SyntaxError);
    expect(isReferenceSyntaxError(error)).toBe(true);
    expect(isReferenceSyntaxError(new SyntaxError('x'))).toBe(false);
  });

  it('adds nothing in strict mode and wants the registry written out', () => {
    expect(parseReference('docker.io/nginx', { mode: 'strict' })).toEqual({
      domain: 'docker.io',
      path: 'nginx',
      tag: undefined,
      digest: undefined,
    });
    expect(thrown(() => parseReference('user/nginx', { mode: 'strict' })).code).toBe('ERR_RKT_REFPARSE_DOMAIN_MISSING');
    expect(parseReference('index.docker.io/a/b', { mode: 'strict' }).domain).toBe('index.docker.io');
  });

  it('takes another default domain and tag, without library/', () => {
    expect(parseReference('app', { defaultDomain: 'quay.io', defaultTag: 'stable' })).toEqual({
      domain: 'quay.io',
      path: 'app',
      tag: 'stable',
      digest: undefined,
    });
  });
});

function thrown(work: () => unknown): ReferenceSyntaxError {
  try {
    work();
  } catch (error) {
    if (error instanceof ReferenceSyntaxError) return error;
    throw error;
  }
  throw new Error('expected a ReferenceSyntaxError');
}
