// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/image/manifest.ts';
import { isRegistryError } from '../../src/index.ts';
import { parseChallenges } from '../../src/protocol/challenge.ts';
import { isContentRangeFrom, parseContentLength } from '../../src/protocol/content-range.ts';
import { parseErrorBody } from '../../src/protocol/error-body.ts';
import { parseNextLink } from '../../src/protocol/link.ts';
import { decideRealm } from '../../src/protocol/realm.ts';
import { followRedirect } from '../../src/protocol/redirect.ts';
import { parseRetryAfter } from '../../src/protocol/retry-after.ts';
import { sanitize } from '../../src/protocol/sanitize.ts';
import { parseTokenResponse } from '../../src/protocol/token-response.ts';

const registry = new URL('https://registry.example/v2/');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Everything that reads what a registry says. */
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  parseChallenges: (text) => parseChallenges([text, text]),
  isContentRangeFrom: (text) => isContentRangeFrom(text, 1, 2),
  parseContentLength,
  parseErrorBody: (text) => [parseErrorBody(bytes(text), 'application/json'), parseErrorBody(bytes(text), undefined)],
  parseNextLink: (text) => parseNextLink(text, registry),
  decideRealm: (text) => decideRealm(text, registry, []),
  followRedirect: (text) => followRedirect(registry, text, { allowHttp: false }),
  parseRetryAfter: (text) => parseRetryAfter(text, 0),
  parseTokenResponse: (text) => parseTokenResponse(bytes(text), 0),
  sanitize,
  parseManifest: (text) => parseManifest(bytes(text), { reference: 'r', mediaType: undefined }),
};

const whole = [
  'Bearer realm="https://a.example/token",service="s",scope="repository:r:pull"',
  '<https://registry.example/v2/r/tags/list?n=1>; rel="next"',
  'bytes 1-1/2',
  'Thu, 01 Jan 2026 00:00:10 GMT',
  '{"errors":[{"code":"DENIED","message":"m","detail":{}}]}',
  '{"token":"t","expires_in":60,"issued_at":"2026-01-01T00:00:00Z"}',
  '{"schemaVersion":2,"layers":[],"config":{"mediaType":"","digest":"","size":1}}',
  'https://user:password@[::1]:5000/path?query#fragment',
];
const unit = fc.constantFrom(
  ...'aB09 =",;:<>\\/?#@[]{}-.\t\n\r\u0000é\u202e\ud800',
  'rel',
  'next',
  'Bearer ',
  'bytes ',
  '://',
);
const noise = fc.string({ unit, maxLength: 60 });
const mutated = fc
  .tuple(fc.constantFrom(...whole), fc.nat(90), fc.nat(12), noise)
  .map(([text, at, removed, added]) => text.slice(0, at) + added.slice(0, 6) + text.slice(at + removed));

const LARGE = 50_000;
/** A quadratic reader would need seconds for a large input, a linear one on a busy machine some milliseconds. */
const LIMIT_MS = 400;
const large = fc
  .tuple(fc.constantFrom('', ...whole), fc.string({ unit, minLength: 1, maxLength: 5 }), noise)
  .map(([start, pattern, end]) => start.slice(0, -1) + pattern.repeat(LARGE / pattern.length) + end);

describe.each(Object.entries(readers))('%s', (_name, read) => {
  const readsOrRefuses = (text: string): void => {
    try {
      read(text);
    } catch (error) {
      if (!isRegistryError(error)) throw error;
      expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    }
  };

  it('reads or refuses any text, with an error of ours that is one safe line', () => {
    fc.assert(fc.property(fc.oneof(noise, mutated), readsOrRefuses), { numRuns: 400 });
  });

  it('takes time in proportion to the text', () => {
    fc.assert(
      fc.property(large, (text) => {
        const started = performance.now();
        readsOrRefuses(text);
        expect(performance.now() - started).toBeLessThan(LIMIT_MS);
      }),
      { numRuns: 25 },
    );
  });
});
