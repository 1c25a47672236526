// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  formatFamiliar,
  formatReference,
  isDigest,
  parseDigest,
  parseReference,
  withDigest,
  withTag,
} from '../src/index.ts';

const digest = parseDigest(`sha256:${'ab'.repeat(32)}`);

describe('formatting', () => {
  it.each([
    ['nginx', 'nginx'],
    ['nginx:1.25', 'nginx:1.25'],
    ['user/app', 'user/app'],
    ['quay.io/a/b', 'quay.io/a/b'],
    ['docker.io/foo.bar/baz', 'docker.io/foo.bar/baz'],
    [`docker.io/library/${'a'.repeat(64)}`, `library/${'a'.repeat(64)}`],
    [`nginx:1@${digest}`, `nginx:1@${digest}`],
    [`nginx@${digest}`, `nginx@${digest}`],
    [`nginx:latest@${digest}`, `nginx:latest@${digest}`],
    ['localhost/app', 'localhost/app'],
  ])('shortens %s to %s', (input, familiar) => {
    expect(formatFamiliar(parseReference(input))).toBe(familiar);
    expect(parseReference(familiar)).toEqual(parseReference(input));
  });

  it('writes the canonical form in full', () => {
    expect(formatReference(parseReference('nginx'))).toBe('docker.io/library/nginx:latest');
    expect(formatReference(parseReference(`nginx:1@${digest}`))).toBe(`docker.io/library/nginx:1@${digest}`);
  });

  it('changes tag and digest without touching the original', () => {
    const reference = parseReference('nginx');
    expect(formatReference(withTag(reference, '2'))).toBe('docker.io/library/nginx:2');
    expect(withDigest(reference, digest).digest).toBe(digest);
    expect(reference.tag).toBe('latest');
    expect(() => withTag(reference, '../x')).toThrow(expect.objectContaining({ code: 'ERR_RKT_REFPARSE_TAG_INVALID' }));
  });
});

describe('digests', () => {
  it('accepts SHA-2 in lower case and full length only', () => {
    expect(isDigest(`sha512:${'0'.repeat(128)}`)).toBe(true);
    for (const wrong of [
      '',
      ':',
      'sha256',
      'sha256:',
      `sha256:${'0'.repeat(63)}`,
      `sha256:${'G'.repeat(64)}`,
      7,
      undefined,
    ]) {
      expect(isDigest(wrong)).toBe(false);
    }
    expect(() => parseDigest(`sha1:${'0'.repeat(40)}`)).toThrow(
      expect.objectContaining({ code: 'ERR_RKT_REFPARSE_DIGEST_UNSUPPORTED' }),
    );
  });
});
