// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Credential, chainKeychains, createRegistry, type Keychain, staticKeychain } from '../../src/index.ts';
import type { TestAuth } from '../../src/testing/index.ts';
import { drain, FAST_RETRY, putBytes, startLoopback, testImage } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const login: Credential = { kind: 'basic', username: 'me', password: 'p:w' };
const always = (credential: Credential | undefined): Keychain => ({ resolve: () => Promise.resolve(credential) });

async function loopbackWith(auth: TestAuth, keychain: Keychain = always(undefined)) {
  const loopback = await startLoopback({ auth }, { keychain });
  await loopback.server.putImage({ repository: 'a/b', tag: 'v' }, testImage(1000, 2000));
  return loopback;
}

describe('bearer tokens', () => {
  it.each([{}, { field: 'access_token' }, { scope: 'omitted' }, { scope: 'quoted-comma' }] as const)(
    'are fetched once for a whole pull: %j',
    async (variation) => {
      await using loopback = await loopbackWith({ kind: 'bearer', ...variation });
      const image = await loopback.open('a/b:v');
      await Promise.all(image.layers.map(async (layer) => drain(await layer.open())));
      const paths = loopback.server.requests.map(({ path }) => path);
      expect(paths.filter((path) => path.startsWith('/token'))).toHaveLength(1);
      const token = new URL(paths.find((path) => path.startsWith('/token')) ?? '', 'http://x');
      expect(token.searchParams.get('scope')).toMatch(/^repository:a\/b:pull/);
      expect(loopback.server.requests[0]?.headers.authorization).toBeUndefined();
    },
  );

  it('are asked for with the credential, which the registry itself never sees', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer', username: 'me', password: 'p:w' }, always(login));
    await loopback.open('a/b:v');
    for (const { path, headers } of loopback.server.requests) {
      expect(headers.authorization?.startsWith('Basic') ?? false).toBe(path.startsWith('/token'));
    }
  });

  it('are fetched once by requests that fail together', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer' });
    await Promise.all(Array.from({ length: 6 }, () => loopback.client.getManifest(loopback.reference('a/b:v'))));
    expect(loopback.server.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(1);
  });

  it('are renewed when they end during a pull', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer', maxUses: 2 });
    const image = await loopback.open('a/b:v');
    for (const layer of image.layers) expect((await drain(await layer.open())).length).toBe(layer.descriptor.size);
    expect(loopback.server.requests.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2);
  });

  it('are renewed when a blob is resumed', async () => {
    await using loopback = await startLoopback({ auth: { kind: 'bearer', maxUses: 1 } });
    const bytes = randomBytes(2 << 20);
    const target = await putBytes(loopback.server, 'r', bytes);
    loopback.server.fail({ path: '/blobs/', action: { kind: 'status', status: 503 } });
    const reader = loopback.client.getBlob({ domain: loopback.server.domain, path: 'r' }, target);
    loopback.server.fail({ path: '/blobs/', action: { kind: 'status', status: 503 } });
    expect(Buffer.compare(await drain(await reader), bytes)).toBe(0);
  });

  it('are refused twice and no more often', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer', maxUses: 0 });
    const error = await registryError(() => loopback.open('a/b:v'));
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNAUTHORIZED');
    expect(loopback.server.requests.map(({ path }) => path.split('?')[0])).toEqual([
      '/v2/a/b/manifests/v',
      '/token',
      '/v2/a/b/manifests/v',
    ]);
  });

  it('come from POST with an identity token, from GET where the server knows no POST', async () => {
    const identity: Credential = { kind: 'identity-token', token: 'refresh-secret', username: 'me' };
    await using posting = await loopbackWith({ kind: 'bearer', identityToken: 'refresh-secret' }, always(identity));
    await posting.open('a/b:v');
    const post = posting.server.requests.find(({ path }) => path.startsWith('/token'));
    expect(post?.method).toBe('POST');
    expect(post?.path).toBe('/token');
    await using getting = await loopbackWith(
      { kind: 'bearer', username: 'me', password: 'refresh-secret' },
      always(identity),
    );
    getting.server.fail({ method: 'POST', action: { kind: 'status', status: 405 } });
    await getting.open('a/b:v');
    expect(getting.server.requests.filter(({ path }) => path.startsWith('/token')).map(({ method }) => method)).toEqual(
      ['POST', 'GET'],
    );
  });

  it('are not waited for by anybody once all who wanted one have given up, and not before', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer' });
    let closed = 0;
    loopback.server.fail({
      path: '/token',
      action: { kind: 'respond', respond: (incoming) => incoming.socket.once('close', () => (closed += 1)) },
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const ask = (signal: AbortSignal) => loopback.client.getManifest(loopback.reference('a/b:v'), { signal });
    const outcomes = [ask(first.signal), ask(second.signal)].map((work) => work.catch((reason: unknown) => reason));
    await expect.poll(() => loopback.server.requests.filter(({ path }) => path.startsWith('/token')).length).toBe(1);
    await expect.poll(() => loopback.server.requests.length).toBe(3);
    await sleep(50);
    first.abort('first');
    expect(await outcomes[0]).toBe('first');
    await sleep(50);
    expect(closed).toBe(0);
    second.abort('second');
    expect(await outcomes[1]).toBe('second');
    await expect.poll(() => closed).toBe(1);
    // Nothing of that stands in the way of the next who asks.
    expect((await loopback.client.getManifest(loopback.reference('a/b:v'))).bytes.length).toBeGreaterThan(0);
  });

  it('are asked for again no sooner than the token server wants', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer' });
    loopback.server.fail({
      path: '/token',
      action: { kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
    });
    const error = await registryError(() => loopback.open('a/b:v'));
    expect(error).toMatchObject({ code: 'ERR_RKT_REGISTRY_RATE_LIMITED', retryAfterMs: 3_600_000 });
  });

  it('may be given ready-made', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer' }, always({ kind: 'bearer', token: 'ready' }));
    await registryError(() => loopback.open('a/b:v'));
    expect(loopback.server.requests.at(-1)?.headers.authorization).toBe('Bearer ready');
    expect(loopback.server.requests.some(({ path }) => path.startsWith('/token'))).toBe(false);
  });

  it('that no header field could carry are not sent', async () => {
    const broken = always({ kind: 'bearer', token: 'ready\r\nx-evil: 1', source: '/etc/some.json' });
    await using loopback = await loopbackWith({ kind: 'bearer' }, broken);
    const error = await registryError(() => loopback.open('a/b:v'));
    expect([error.code, error.credentialSource]).toEqual(['ERR_RKT_REGISTRY_UNAUTHORIZED', '/etc/some.json']);
    expect(error.message).toContain('the token from /etc/some.json has characters that no header field has');
    expect(`${error.message} ${error.cause}`).not.toContain('x-evil');
    expect(loopback.server.requests).toHaveLength(1);
  });

  it('say why they were not to be had', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer', username: 'me', password: 'right' }, always(login));
    const error = await registryError(() => loopback.open('a/b:v'));
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNAUTHORIZED');
    expect(error.message).toContain('incorrect username or password');
    expect(error.message).not.toContain('p:w');
    const found = always({ ...login, source: '/etc/some.json' });
    await using named = await loopbackWith({ kind: 'bearer', username: 'me', password: 'right' }, found);
    const blamed = await registryError(() => named.open('a/b:v'));
    expect(blamed.credentialSource).toBe('/etc/some.json');
    expect(blamed.message).toContain('refused the credentials from /etc/some.json for ');
    loopback.server.fail({
      path: '/token',
      action: { kind: 'status', status: 200, body: '{"token":"a\\r\\nx-evil: 1"}' },
    });
    expect((await registryError(() => loopback.open('a/b:v'))).code).toBe('ERR_RKT_REGISTRY_PROTOCOL');
    loopback.server.fail({ path: '/token', action: { kind: 'status', status: 200, body: 'x'.repeat((1 << 20) + 1) } });
    expect((await registryError(() => loopback.open('a/b:v'))).code).toBe('ERR_RKT_REGISTRY_LIMIT_EXCEEDED');
  });
});

describe('basic authentication', () => {
  it('answers a challenge and is not sent before one', async () => {
    await using loopback = await loopbackWith({ kind: 'basic', username: 'me', password: 'p:w' }, always(login));
    await loopback.open('a/b:v');
    const sent = loopback.server.requests.map(({ headers }) => headers.authorization !== undefined);
    expect(sent).toEqual([false, true, true]);
  });

  it('fails at once with a wrong password or none', async () => {
    const auth = { kind: 'basic', username: 'me', password: 'right' } as const;
    await using wrong = await loopbackWith(auth, always(login));
    expect((await registryError(() => wrong.open('a/b:v'))).code).toBe('ERR_RKT_REGISTRY_UNAUTHORIZED');
    expect(wrong.server.requests).toHaveLength(2);
    await using found = await loopbackWith(auth, always({ ...login, source: '/etc/some.json' }));
    const error = await registryError(() => found.open('a/b:v'));
    expect(error.credentialSource).toBe('/etc/some.json');
    expect(error.message).toContain(' with the credentials from /etc/some.json: ');
    await using none = await loopbackWith(auth);
    expect((await registryError(() => none.open('a/b:v'))).message).toContain('needs credentials');
  });

  it('does not pass an identity token off as a password', async () => {
    await using loopback = await loopbackWith(
      { kind: 'basic', username: 'me', password: 'p' },
      always({ kind: 'identity-token', token: 'refresh-secret' }),
    );
    expect((await registryError(() => loopback.open('a/b:v'))).code).toBe('ERR_RKT_REGISTRY_UNAUTHORIZED');
    expect(JSON.stringify(loopback.server.requests)).not.toContain('refresh-secret');
  });

  it('is chosen after Bearer, whatever their order', async () => {
    await using loopback = await loopbackWith({ kind: 'bearer' }, always(login));
    const challenge = ['Basic realm="x"', `Bearer realm="${loopback.server.origin}/token",service="s"`];
    loopback.server.fail({ action: { kind: 'status', status: 401, headers: { 'www-authenticate': challenge } } });
    await loopback.open('a/b:v');
    expect(loopback.server.requests[2]?.headers.authorization).toMatch(/^Bearer /);
  });
});

describe('keychains', () => {
  it('are asked with the domain of the host and answer in order', async () => {
    const asked: string[] = [];
    const spy: Keychain = {
      resolve: ({ domain, path }) => {
        asked.push(`${domain} ${path}`);
        return Promise.resolve(undefined);
      },
    };
    await using loopback = await startLoopback({ auth: { kind: 'basic', username: 'me', password: 'p:w' } });
    await loopback.server.putImage({ repository: 'a/b', tag: 'v' }, testImage(1));
    const keychain = chainKeychains(
      spy,
      staticKeychain({ [loopback.server.domain]: login }),
      always({ ...login, username: 'wrong' }),
    );
    await using client = createRegistry({ keychain, retry: FAST_RETRY });
    await client.getManifest(loopback.reference('a/b:v'));
    expect(asked).toEqual([`${loopback.server.domain} a/b`]);
  });
});
