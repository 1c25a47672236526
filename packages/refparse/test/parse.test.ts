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

  it.each([
    ['team/App', 'the repository name must be lower case, "team/app"'],
    ['team/App b', 'the repository name must be lower case'],
    ['team/App\u212a', 'the repository name must be lower case'],
    ['a b', '"a b" is no repository name: unexpected " "'],
    ['a/', '"a/" is no repository name: nothing follows "/"'],
    ['quay.io/', 'it has no repository name'],
    ['https://quay.io/a', 'a reference has no scheme: leave out "https://"'],
    ['a..b/c', '"a..b" is no host[:port]: unexpected "."'],
    ['a:/b', '"a:" is no host[:port]: a port is a number from 1 to 65535'],
    ['a:65536/b', '"a:65536" is no host[:port]: a port is a number from 1 to 65535'],
    ['[::1/b', '"[::1" is no host[:port]: expected an IPv6 address in brackets'],
    ['[::1]:x/b', '"[::1]:x" is no host[:port]: a port is a number from 1 to 65535'],
    ['a:', 'no tag follows the colon'],
    ['a:-b', '"-b" is no tag: unexpected "-"'],
    ['a:\u{1f40b}', '"\\ud83d\\udc0b" is no tag: unexpected "\\ud83d\\udc0b"'],
    [`a:${'b'.repeat(129)}`, 'its tag is longer than 128 characters'],
    ['a@b', 'what follows the @ is no digest: expected algorithm:hex'],
    ['a@sha256:b', 'its digest: expected 64 lower-case hex digits after sha256:'],
  ])('says of %j what is wrong and what was expected', (input, reason) => {
    expect(thrown(() => parseReference(input)).reason).toBe(reason);
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
