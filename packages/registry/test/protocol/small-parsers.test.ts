// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isContentRangeFrom, parseContentLength } from '../../src/protocol/content-range.ts';
import { parseErrorBody } from '../../src/protocol/error-body.ts';
import { parseNextLink } from '../../src/protocol/link.ts';
import { followRedirect } from '../../src/protocol/redirect.ts';
import { parseRetryAfter } from '../../src/protocol/retry-after.ts';
import { redactUrl, sanitize } from '../../src/protocol/sanitize.ts';
import { parseTokenResponse } from '../../src/protocol/token-response.ts';
import { registryError } from '../registry-error.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['0', 0],
    ['7', 7000],
    [' 7 ', 7000],
    ['Thu, 01 Jan 2026 00:00:10 GMT', 10_000],
    ['Thu, 01 Jan 2015 00:00:10 GMT', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['0x10', undefined],
    ['985.86us', undefined],
    ['99999999999999999', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j', (field, expected) => {
    expect(parseRetryAfter(field, now)).toBe(expected);
  });
});

describe('content lengths and ranges', () => {
  it.each([
    ['12', 12],
    ['0', 0],
    ['-1', undefined],
    ['12abc', undefined],
    ['0x10', undefined],
    ['9007199254740993', undefined],
    [undefined, undefined],
  ])('length %j is %j', (field, expected) => {
    expect(parseContentLength(field)).toBe(expected);
  });

  it('a range must continue exactly where the reader is and end with the blob', () => {
    expect(isContentRangeFrom('bytes 5-9/10', 5, 10)).toBe(true);
    expect(isContentRangeFrom('bytes 5-9/*', 5, 10)).toBe(true);
    for (const wrong of ['bytes 4-9/10', 'bytes 5-8/10', 'bytes 5-9/11', 'items 5-9/10', 'bytes 5-9', '', undefined]) {
      expect(isContentRangeFrom(wrong, 5, 10)).toBe(false);
    }
  });
});

describe('parseErrorBody', () => {
  it('takes code and message, escaped', () => {
    const body = bytes('{"errors":[{"code":"denied","message":"no \\u001b[31mway\\nnow\\n"}]}');
    expect(parseErrorBody(body, 'application/json')).toEqual({ code: 'DENIED', said: 'no \\u{1b}[31mway\\u{a}now' });
  });

  it('shows plain text but no pages and no binary', () => {
    expect(parseErrorBody(bytes('too busy'), 'text/plain')).toEqual({ code: undefined, said: 'too busy' });
    expect(parseErrorBody(bytes('<html>x</html>'), 'text/html').said).toBeUndefined();
  });

  it.each([
    ['as it is', "a b!'()~&100%", "no: a b!'()~&100%"],
    ['percent-encoded', "a b!'()~&100%", `no: ${encodeURIComponent("a b!'()~&100%")}`],
    ['percent-encoded in lower case', 'a/b', 'no: a%2fb'],
    ['as in a form', "a b!'()~+100%", `no: ${new URLSearchParams({ p: "a b!'()~+100%" })}`],
    ['with what has no encoding', 'a\ud800b', `no: ${new URLSearchParams({ p: 'a\ud800b' })}`],
    ['as one word of a sentence', 'access', 'requested access to the resource is denied'],
    ['as a short word', 'me', 'who is me?'],
    ['after what is shown', 'secret', `${'x'.repeat(400)} secret`],
  ])('says the code alone where a secret is repeated %s', (_how, secret, message) => {
    const secrets = { plain: [secret], encoded: [] };
    const json = bytes(JSON.stringify({ errors: [{ code: 'denied', message }] }));
    expect(parseErrorBody(json, 'application/json', secrets)).toEqual({ code: 'DENIED', said: 'DENIED' });
    expect(parseErrorBody(bytes(message), 'text/plain', secrets).said).toBeUndefined();
  });

  it('has the code as it came, and does not say it where it repeats a secret', () => {
    const body = bytes('{"errors":[{"code":"TOOMANYREQUESTS"}]}');
    const secrets = { plain: ['MANY'], encoded: [] };
    expect(parseErrorBody(body, 'application/json', secrets)).toEqual({ code: 'TOOMANYREQUESTS', said: undefined });
  });

  it('leaves a login in base64 out, and says nothing where it is there in another form', () => {
    const login = Buffer.from('me:??>>').toString('base64');
    const said = (text: string): string | undefined =>
      parseErrorBody(bytes(text), 'text/plain', { plain: ['??>>'], encoded: [login] }).said;
    expect(login).toMatch(/[+/].*=$/);
    expect(said(`who is Basic ${login}?`)).toBe('who is Basic ***?');
    expect(said(`who is ${encodeURIComponent(login)}?`)).toBeUndefined();
    expect(said(`who is ${login.replace(/=+$/, '')}?`)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.json(), fc.string({ unit: 'binary' }), (raw, json, secret) => {
        const secrets = { plain: [secret], encoded: [secret] };
        parseErrorBody(raw, 'text/plain', secrets);
        parseErrorBody(raw, undefined);
        parseErrorBody(bytes(json), 'application/json');
      }),
    );
  });
});

describe('parseTokenResponse', () => {
  it.each([
    ['{"token":"abc"}', 'abc', 55_000],
    ['{"access_token":"abc","expires_in":300}', 'abc', 295_000],
    ['{"token":"","access_token":"abc"}', 'abc', 55_000],
    ['{"token":"abc","expires_in":1}', 'abc', 55_000],
    ['{"token":"abc","expires_in":1e300}', 'abc', 86_395_000],
    ['{"token":"abc","expires_in":"300"}', 'abc', 55_000],
  ])('%s', (text, value, expiresAt) => {
    expect(parseTokenResponse(bytes(text), 0)).toEqual({ value, expiresAt });
  });

  it.each(['', 'null', '[]', '{}', '{"token":7}', '{"token":"a\\r\\nx: y"}', '{"token":"a b"}'])(
    '%s has no token',
    (text) => {
      expect(parseTokenResponse(bytes(text), 0)).toBeUndefined();
    },
  );
});

describe('followRedirect', () => {
  const from = new URL('https://registry.example.com/v2/x/blobs/y');
  it('resolves relative and absolute locations', () => {
    expect(followRedirect(from, '/z#f', { allowHttp: false }).href).toBe('https://registry.example.com/z');
    expect(followRedirect(from, 'https://cdn.example/z?sig=1', { allowHttp: false }).href).toBe(
      'https://cdn.example/z?sig=1',
    );
  });

  it.each([
    undefined,
    'http://[',
    'http://registry.example.com/z',
    'ftp://x/y',
    'file:///etc/passwd',
    'https://u:p@cdn.example/z',
    'https://127.0.0.1/z',
    'https://169.254.169.254/z',
    'https://localhost/z',
    'https://[::]/z',
    'javascript:alert(1)',
  ])('refuses %j', async (location) => {
    const error = await registryError(() => followRedirect(from, location, { allowHttp: true }));
    expect(error.code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
  });

  it('keeps plain http to loopback unless more is allowed', async () => {
    const local = new URL('http://127.0.0.1:5000/x');
    expect(followRedirect(local, 'http://127.0.0.1:5001/y', { allowHttp: false }).port).toBe('5001');
    const error = await registryError(() => followRedirect(local, 'http://cdn.example/y', { allowHttp: false }));
    expect(error.code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
    expect(followRedirect(local, 'http://cdn.example/y', { allowHttp: true }).host).toBe('cdn.example');
  });
});

describe('sanitize', () => {
  it('leaves nothing a terminal acts on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(sanitize(text)).not.toMatch(
          /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/,
        );
      }),
    );
    expect(sanitize('a\ud800b')).toBe('a\\u{d800}b');
    expect(sanitize('x'.repeat(1000))).toBe(`${'x'.repeat(300)}...`);
    expect(sanitize('größe 大')).toBe('größe 大');
  });

  it('keeps secrets of URLs out', () => {
    expect(redactUrl(new URL('https://u:p@h.example:8443/a/b?X-Sig=secret#f'))).toBe('https://h.example:8443/a/b?...');
  });
});

describe('parseNextLink', () => {
  const base = new URL('https://r.example/v2/x/tags/list');
  it.each([
    ['</v2/x/tags/list?last=b>; rel="next"', 'https://r.example/v2/x/tags/list?last=b'],
    ['<a>; rel=prev, </n>; rel=next', 'https://r.example/n'],
    ['</n>; rel="prev"', undefined],
    ['</n>; rel=next; title=x', 'https://r.example/n'],
    ['</n>; rel=nextish', undefined],
    ['</n>; rel="next-archive"', undefined],
    ['</n>; no-rel=next', undefined],
    ['nonsense', undefined],
    [undefined, undefined],
  ])('%j', (field, expected) => {
    expect(parseNextLink(field, base)?.href).toBe(expected);
  });
});
