// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Credential, createRegistry, defaultHost, type Keychain, staticKeychain } from '../../src/index.ts';
import type { FaultAction, TestRegistry } from '../../src/testing/index.ts';
import { drain, FAST_RETRY, putBytes, startLoopback, testImage } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const SECRET = 'do-not-leak';
const login: Credential = { kind: 'basic', username: 'me', password: SECRET };
const everywhere: Keychain = { resolve: () => Promise.resolve(login) };
const encoded = Buffer.from(`me:${SECRET}`).toString('base64');

/** What another server saw of us must contain no secret, in any form, anywhere. */
function expectNoSecret(server: TestRegistry): void {
  for (const { headers } of server.requests) {
    expect(headers.authorization).toBeUndefined();
    expect(headers.cookie).toBeUndefined();
    expect(headers['proxy-authorization']).toBeUndefined();
  }
  const seen = JSON.stringify(server.requests);
  expect(seen).not.toContain(SECRET);
  expect(seen).not.toContain(encoded);
}

describe('secrets stay with their origin', () => {
  it('when a blob redirects to another origin', async () => {
    const auth = { kind: 'bearer', username: 'me', password: SECRET } as const;
    await using loopback = await startLoopback({ auth }, { keychain: everywhere });
    await using cdn = await startLoopback();
    const bytes = randomBytes(1000);
    const target = await putBytes(loopback.server, 'r', bytes);
    await cdn.server.putBlob('r', bytes);
    await loopback.server.putImage({ repository: 'r', tag: 'latest' }, testImage());
    // The token is known from here on, so the blob request carries it.
    await loopback.client.getManifest(loopback.reference('r'));
    const location = `${cdn.server.origin}/v2/r/blobs/${target.digest}?sig=1`;
    loopback.server.fail({ path: '/blobs/', action: { kind: 'redirect', location } });
    const reader = await loopback.client.getBlob({ domain: loopback.server.domain, path: 'r' }, target);
    expect((await drain(reader)).length).toBe(1000);
    expect(loopback.server.requests.at(-1)?.headers.authorization).toMatch(/^Bearer /);
    expect(cdn.server.requests).toHaveLength(1);
    expectNoSecret(cdn.server);
  });

  it('when a redirect leads away and back again, to a place that is chosen there (CVE-2024-45336)', async () => {
    await using loopback = await startLoopback(
      { auth: { kind: 'basic', username: 'me', password: SECRET } },
      { keychain: everywhere },
    );
    await using thief = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(10));
    const back = `${loopback.server.origin}/v2/chosen/blobs/${target.digest}`;
    loopback.server.fail({ path: '/v2/r/', times: 9, action: { kind: 'redirect', location: thief.server.origin } });
    thief.server.fail({ times: 9, action: { kind: 'redirect', location: back } });
    const error = await registryError(() =>
      loopback.client.getBlob({ domain: loopback.server.domain, path: 'r' }, target),
    );
    expect([error.code, error.credentialSource]).toEqual(['ERR_RKT_REGISTRY_UNAUTHORIZED', undefined]);
    const chosen = loopback.server.requests.filter(({ path }) => path.includes('/chosen/'));
    expect(chosen.length).toBeGreaterThan(0);
    for (const { headers } of chosen) expect(headers.authorization).toBeUndefined();
    expectNoSecret(thief.server);
  });

  it('when the target of a redirect asks for them (CVE-2020-15157)', async () => {
    await using loopback = await startLoopback(
      { auth: { kind: 'basic', username: 'me', password: SECRET } },
      { keychain: everywhere },
    );
    await using thief = await startLoopback({ auth: { kind: 'basic', username: 'me', password: SECRET } });
    const target = await putBytes(loopback.server, 'r', randomBytes(10));
    loopback.server.fail({ times: 99, action: { kind: 'redirect', location: `${thief.server.origin}/v2/r/blobs/x` } });
    const error = await registryError(() =>
      loopback.client.getBlob({ domain: loopback.server.domain, path: 'r' }, target),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNAUTHORIZED');
    expect(thief.server.requests.length).toBeGreaterThan(0);
    expectNoSecret(thief.server);
  });

  it('when the realm is on another origin: it gets an anonymous request', async () => {
    await using thief = await startLoopback({ auth: { kind: 'bearer' } });
    const auth = { kind: 'bearer', realm: `${thief.server.origin}/token` } as const;
    await using loopback = await startLoopback({ auth }, { keychain: everywhere });
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(1));
    await registryError(() => loopback.open('x'));
    expect(thief.server.requests.map(({ path }) => path.split('?')[0])).toEqual(['/token']);
    expectNoSecret(thief.server);
    thief.server.fail({ path: '/token', action: { kind: 'status', status: 401 } });
    const error = await registryError(() => loopback.open('x'));
    expect(error.message).toContain('the credentials are not sent to it: nothing shows that it belongs to');
    expect(error.credentialSource).toBeUndefined();
  });

  it('when the realm is on another origin and an identity token is known', async () => {
    await using thief = await startLoopback({ auth: { kind: 'bearer', identityToken: SECRET } });
    const auth = { kind: 'bearer', realm: `${thief.server.origin}/token` } as const;
    const keychain: Keychain = { resolve: () => Promise.resolve({ kind: 'identity-token', token: SECRET }) };
    await using loopback = await startLoopback({ auth }, { keychain });
    await registryError(() => loopback.open('x'));
    expect(thief.server.requests.map(({ method }) => method)).toEqual(['GET']);
    expectNoSecret(thief.server);
  });

  it('but go to a realm the user trusts', async () => {
    await using sso = await startLoopback({ auth: { kind: 'bearer', username: 'me', password: SECRET } });
    const auth = { kind: 'bearer', realm: `${sso.server.origin}/token` } as const;
    await using loopback = await startLoopback({ auth }, { keychain: everywhere, trustedRealms: [sso.server.domain] });
    await registryError(() => loopback.open('x'));
    expect(sso.server.requests[0]?.headers.authorization).toBe(`Basic ${encoded}`);
  });

  it('when the token server redirects', async () => {
    await using thief = await startLoopback();
    await using loopback = await startLoopback(
      { auth: { kind: 'bearer', username: 'me', password: SECRET } },
      { keychain: everywhere },
    );
    loopback.server.fail({ path: '/token', action: { kind: 'redirect', location: `${thief.server.origin}/token` } });
    expect((await registryError(() => loopback.open('x'))).code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
    expect(thief.server.requests).toEqual([]);
  });

  it.each(['http://169.254.169.254/token', 'http://10.0.0.1/token', 'file:///etc/passwd', 'http://evil.example/token'])(
    'and nothing is sent to the realm %s',
    async (realm) => {
      await using loopback = await startLoopback({ auth: { kind: 'bearer', realm } }, { keychain: everywhere });
      expect((await registryError(() => loopback.open('x'))).code).toBe('ERR_RKT_REGISTRY_REALM_REFUSED');
    },
  );

  it('when a mirror asks for them: it gets only its own', async () => {
    await using mirror = await startLoopback({ auth: { kind: 'basic', username: 'mirror', password: 'own' } });
    await using upstream = await startLoopback({ auth: { kind: 'basic', username: 'me', password: SECRET } });
    await upstream.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    const keychain = staticKeychain({ [upstream.server.domain]: login });
    await using client = createRegistry({
      keychain,
      retry: FAST_RETRY,
      hosts: (domain) => [{ origin: mirror.server.origin }, defaultHost(domain)],
    });
    await client.getManifest(upstream.reference('x'));
    expect(mirror.server.requests.length).toBeGreaterThan(0);
    expectNoSecret(mirror.server);
  });

  it('when a redirect leads round in circles', async () => {
    await using loopback = await startLoopback();
    loopback.server.fail({ times: 99, action: { kind: 'redirect', location: '/v2/x/manifests/latest' } });
    const error = await registryError(() => loopback.client.getManifest(loopback.reference('x')));
    expect(error.code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
    expect(loopback.server.requests).toHaveLength(11);
  });

  it.each(['basic', 'bearer'] as const)('and out of what a server repeats of them, with %s', async (kind) => {
    const echo = (also: string): FaultAction => ({
      kind: 'respond',
      respond: ({ headers }, response) => {
        const message = `who is ${headers.authorization}${also}? ${'x'.repeat(300)}`;
        response.writeHead(403, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
      },
    });
    const auth = { kind, username: 'me', password: SECRET } as const;
    await using loopback = await startLoopback({ auth }, { keychain: everywhere });
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(1));
    await loopback.client.getManifest(loopback.reference('x'));
    loopback.server.fail({ path: '/manifests/', action: echo('') });
    const denied = await registryError(() => loopback.client.getManifest(loopback.reference('x')));
    // A token is a secret as it is, and a login in base64 has nothing in it that could be guessed from its hole.
    expect(denied.message).toMatch(kind === 'basic' ? /: who is Basic \*\*\*\? x+/ : /: DENIED$/);
    const path = kind === 'bearer' ? '/token' : '/manifests/';
    for (const [also, said] of [
      ['', /: who is Basic \*\*\*\? x+/],
      [` with ${SECRET}`, /: DENIED$/],
    ] as const) {
      await using fresh = createRegistry({ keychain: everywhere, retry: FAST_RETRY });
      if (kind === 'basic') await fresh.getManifest(loopback.reference('x'));
      loopback.server.fail({ path, action: echo(also) });
      const refused = await registryError(() => fresh.getManifest(loopback.reference('x')));
      expect(refused.message).toMatch(said);
    }
  });

  it('and what is no text changes nothing about the error of whoever sends it', async () => {
    const lone: Credential = { kind: 'basic', username: 'me', password: 'lone\ud800surrogate' };
    const keychain: Keychain = { resolve: () => Promise.resolve(lone) };
    const auth = { kind: 'basic', username: 'me', password: SECRET } as const;
    await using loopback = await startLoopback({ auth }, { keychain });
    const error = await registryError(() => loopback.client.getManifest(loopback.reference('x')));
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNAUTHORIZED');
  });

  it('and a password that is the name of an error does not make it another one', async () => {
    const keychain: Keychain = { resolve: () => Promise.resolve({ ...login, password: 'MANY' }) };
    const auth = { kind: 'basic', username: 'me', password: 'MANY' } as const;
    await using loopback = await startLoopback({ auth }, { keychain });
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(1));
    await loopback.client.getManifest(loopback.reference('x'));
    loopback.server.fail({
      path: '/manifests/',
      times: 9,
      action: {
        kind: 'respond',
        respond: (_request, response) => {
          response.writeHead(403, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: 'TOO MANY' }] }));
        },
      },
    });
    const error = await registryError(() => loopback.client.getManifest(loopback.reference('x')));
    expect(error.code).toBe('ERR_RKT_REGISTRY_RATE_LIMITED');
    expect(error.message).not.toContain('TOO');
  });

  it('and out of messages', async () => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(10));
    const location = `http://me:${SECRET}@127.0.0.1:1/?sig=${SECRET}`;
    loopback.server.fail({ action: { kind: 'redirect', location } });
    const error = await registryError(() =>
      loopback.client.getBlob({ domain: loopback.server.domain, path: 'r' }, target),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
    expect(`${error.message} ${error.stack}`).not.toContain(SECRET);
  });
});
