// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { parseReference } from '@rkt/refparse';
import { describe, expect, it } from 'vitest';
import { checkHost, repositoryUrl } from '../../src/client/hosts.ts';
import {
  type ClosableTransport,
  createRegistry,
  defaultHost,
  imageSource,
  proxyFromEnvironment,
  type Registry,
  type RegistryHost,
  undiciTransport,
} from '../../src/index.ts';
import { AMD64, drain, FAST_RETRY, putBytes, startLoopback, testImage } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const tls = {
  key: readFileSync(new URL('../fixtures/loopback.key.pem', import.meta.url), 'utf8'),
  cert: readFileSync(new URL('../fixtures/loopback.cert.pem', import.meta.url), 'utf8'),
};
const clientFor = (...hosts: readonly RegistryHost[]): Registry =>
  createRegistry({ retry: FAST_RETRY, hosts: () => hosts });
const redis = parseReference('redis');

describe('mirrors', () => {
  it('serve docker.io without docker.io being asked', async () => {
    await using mirror = await startLoopback();
    await mirror.server.putImage({ repository: 'library/redis', tag: 'latest' }, testImage(100));
    await using client = clientFor({ origin: mirror.server.origin });
    const image = await imageSource(client).open(redis, { platform: AMD64 });
    expect(image.reference.domain).toBe('docker.io');
    for (const layer of image.layers) expect((await drain(await layer.open())).length).toBe(100);
  });

  it('may have a path before and behind /v2/', async () => {
    await using mirror = await startLoopback();
    await mirror.server.putImage({ repository: 'hub/library/redis', tag: 'latest' }, testImage(100));
    await using client = clientFor({ origin: mirror.server.origin, prefix: '/hub/' });
    await client.resolve(redis);
    const nested = checkHost({ origin: 'https://nexus.example/repository/proxy/', prefix: 'hub' });
    expect(repositoryUrl(nested, redis, 'tags/list').href).toBe(
      'https://nexus.example/repository/proxy/v2/hub/library/redis/tags/list',
    );
  });

  it.each([
    ['library', 'https://mirror.example/v2/hub/redis/tags/list'],
    ['library/redis', 'https://mirror.example/v2/hub/tags/list'],
    ['lib', 'https://mirror.example/v2/hub/library/redis/tags/list'],
  ])('may keep a repository without the beginning %s of its path', (strip, url) => {
    const host = checkHost({ origin: 'https://mirror.example', prefix: 'hub', strip });
    expect(repositoryUrl(host, redis, 'tags/list').href).toBe(url);
  });

  it.each([
    ['is not there', { origin: 'http://127.0.0.1:9' }, undefined],
    ['does not have it', undefined, undefined],
    ['is overloaded', undefined, { kind: 'status', status: 503 }],
    ['wants credentials', undefined, { kind: 'status', status: 401 }],
    ['sends other bytes', undefined, { kind: 'status', status: 200, body: '{}' }],
    ['hangs up', undefined, { kind: 'drop' }],
    ['redirects in circles', undefined, { kind: 'redirect', location: '/v2/' }],
    ['is plain http though nobody said so', { origin: 'http://mirror.example' }, undefined],
  ] as const)('are passed over when one %s', async (_name, host, action) => {
    await using broken = await startLoopback();
    await using upstream = await startLoopback();
    const { manifest } = await upstream.server.putImage({ repository: 'library/redis', tag: 'latest' }, testImage(100));
    if (action !== undefined) broken.server.fail({ times: 99, action });
    await using client = clientFor(host ?? { origin: broken.server.origin }, { origin: upstream.server.origin });
    const pinned = parseReference(`redis@${manifest.digest}`);
    const image = await imageSource(client).open(pinned, { platform: AMD64 });
    expect(image.descriptor.digest).toBe(manifest.digest);
  });

  it('do not say what a tag means unless they may', async () => {
    await using mirror = await startLoopback();
    await using upstream = await startLoopback();
    await mirror.server.putImage({ repository: 'library/redis', tag: 'latest' }, testImage(100));
    const real = await upstream.server.putImage({ repository: 'library/redis', tag: 'latest' }, testImage(100));
    await using client = clientFor(
      { origin: mirror.server.origin, capabilities: new Set(['pull']) },
      { origin: upstream.server.origin },
    );
    expect((await client.resolve(redis)).digest).toBe(real.manifest.digest);
    expect(mirror.server.requests).toEqual([]);
    await client.getManifest(parseReference(`redis@${real.manifest.digest}`));
    expect(mirror.server.requests).toHaveLength(1);
  });

  it('that fail in the middle of a blob are continued from the next host', async () => {
    await using mirror = await startLoopback();
    await using upstream = await startLoopback();
    const bytes = randomBytes(3 << 20);
    const target = await putBytes(mirror.server, 'library/redis', bytes);
    await putBytes(upstream.server, 'library/redis', bytes);
    mirror.server.fail({ action: { kind: 'truncate', afterBytes: 1 << 20 } });
    mirror.server.fail({ times: 99, action: { kind: 'status', status: 404 } });
    await using client = clientFor({ origin: mirror.server.origin }, { origin: upstream.server.origin });
    expect(Buffer.compare(await drain(await client.getBlob(redis, target)), bytes)).toBe(0);
    expect(upstream.server.requests.map(({ headers }) => headers.range)).toEqual([
      expect.stringMatching(/^bytes=[1-9]/),
    ]);
  });

  it('are not blamed for a blob whose reader was disposed while it was read', async () => {
    await using mirror = await startLoopback();
    await using upstream = await startLoopback();
    const target = await putBytes(mirror.server, 'library/redis', randomBytes(4 << 20));
    await putBytes(upstream.server, 'library/redis', randomBytes(4 << 20));
    await using client = clientFor({ origin: mirror.server.origin }, { origin: upstream.server.origin });
    const reader = await client.getBlob(redis, target);
    const chunks = reader[Symbol.asyncIterator]();
    await chunks.next();
    await reader[Symbol.asyncDispose]();
    await expect(
      (async () => {
        while ((await chunks.next()).done !== true);
      })(),
    ).rejects.toThrow(TypeError);
    await (await client.getBlob(redis, target))[Symbol.asyncDispose]();
    expect(mirror.server.requests).toHaveLength(2);
    expect(upstream.server.requests).toHaveLength(0);
  });

  it('that served wrong bytes come last the next time', async () => {
    await using mirror = await startLoopback();
    await using upstream = await startLoopback();
    const bytes = randomBytes(1000);
    const target = await putBytes(mirror.server, 'library/redis', bytes);
    await putBytes(upstream.server, 'library/redis', bytes);
    mirror.server.fail({ times: 99, action: { kind: 'corrupt', offset: 5 } });
    await using client = clientFor({ origin: mirror.server.origin }, { origin: upstream.server.origin });
    const error = await registryError(async () => drain(await client.getBlob(redis, target)));
    expect([error.code, error.origin]).toEqual(['ERR_RKT_REGISTRY_DIGEST_MISMATCH', mirror.server.origin]);
    expect(Buffer.compare(await drain(await client.getBlob(redis, target)), bytes)).toBe(0);
  });

  it('and all other failures are named when nothing works', async () => {
    await using upstream = await startLoopback();
    await using client = clientFor({ origin: 'http://127.0.0.1:9' }, { origin: upstream.server.origin });
    const error = await registryError(() => client.resolve(redis));
    expect(error.code).toBe('ERR_RKT_REGISTRY_NOT_FOUND');
    expect(error.message).toContain('http://127.0.0.1:9: connection refused');
    expect(error.cause).toBeInstanceOf(AggregateError);
    await using nowhere = clientFor({ origin: 'http://127.0.0.1:9', capabilities: new Set(['pull']) });
    expect((await registryError(() => nowhere.resolve(redis))).message).toContain('no host is configured');
  });
});

describe('credentials that the last host refuses', () => {
  it('are blamed although a mirror had failed before', async () => {
    const auth = { kind: 'basic', username: 'me', password: 'right' } as const;
    await using upstream = await startLoopback({ auth });
    const found = { kind: 'basic', username: 'me', password: 'wrong', source: '/etc/some.json' } as const;
    await using client = createRegistry({
      retry: FAST_RETRY,
      keychain: { resolve: () => Promise.resolve(found) },
      hosts: () => [{ origin: 'http://127.0.0.1:9' }, { origin: upstream.server.origin }],
    });
    const error = await registryError(() => client.resolve(redis));
    expect([error.code, error.credentialSource]).toEqual(['ERR_RKT_REGISTRY_UNAUTHORIZED', '/etc/some.json']);
  });
});

describe('hosts', () => {
  it('have defaults: https, http for loopback, the registry of Docker Hub', () => {
    expect(defaultHost('quay.io').origin).toBe('https://quay.io');
    expect(defaultHost('docker.io').origin).toBe('https://registry-1.docker.io');
    expect(checkHost(defaultHost('docker.io')).credentialDomain).toBe('docker.io');
    for (const domain of ['localhost:5000', '127.0.0.1:5000', '[::1]:5000']) {
      expect(defaultHost(domain).origin).toBe(`http://${domain}`);
    }
    for (const domain of ['10.0.0.1:5000', 'localhost.example', 'registry.local']) {
      expect(defaultHost(domain).origin).toBe(`https://${domain}`);
    }
  });

  it.each([
    { origin: 'nonsense' },
    { origin: 'ftp://x' },
    { origin: 'https://u:p@x' },
    { origin: 'https://x?y' },
    { origin: 'https://x', prefix: '../y' },
    { origin: 'https://x', prefix: 'a b' },
  ])('are checked: %j', (host) => {
    expect(() => checkHost(host)).toThrow(TypeError);
  });

  it.each(['1.2.3.4.5', 'registry.256'])('that no URL can have are unreachable: %s', async (domain) => {
    await using client = createRegistry({ retry: FAST_RETRY });
    const error = await registryError(() => client.resolve(parseReference(`${domain}:5000/x`)));
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNREACHABLE');
    expect(error.message).toBe(`${domain}:5000 is neither the name nor the address of a host`);
  });

  it('that nobody answers at are unreachable, by address and by name', async () => {
    await using client = createRegistry({ retry: FAST_RETRY });
    const refused = await registryError(() => client.resolve(parseReference('127.0.0.1:9/x')));
    expect(refused.code).toBe('ERR_RKT_REGISTRY_UNREACHABLE');
    expect(refused.message).toBe('http://127.0.0.1:9: connection refused');
    expect((await registryError(() => client.resolve(parseReference('no-such-host.invalid/x')))).code).toBe(
      'ERR_RKT_REGISTRY_UNREACHABLE',
    );
  });

  it('that do not speak HTTP are a protocol error', async () => {
    const { createServer: createTcpServer } = await import('node:net');
    const server = createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    await using client = createRegistry({ retry: { attempts: 1 } });
    const { port } = server.address() as AddressInfo;
    expect((await registryError(() => client.resolve(parseReference(`127.0.0.1:${port}/x`)))).code).toBe(
      'ERR_RKT_REGISTRY_PROTOCOL',
    );
    server.close();
  });
});

describe('TLS', () => {
  it('is verified, and its failure never leads to plain http (CVE-2014-5277)', async () => {
    await using loopback = await startLoopback({ tls });
    await using client = clientFor({ origin: loopback.server.origin, insecure: 'http' });
    expect((await registryError(() => client.resolve(redis))).code).toBe('ERR_RKT_REGISTRY_TLS');
    expect(loopback.server.requests).toEqual([]);
    await using plain = await startLoopback();
    await using wrong = clientFor({ origin: plain.server.origin.replace('http:', 'https:'), insecure: 'http' });
    expect((await registryError(() => wrong.resolve(redis))).code).toBe('ERR_RKT_REGISTRY_TLS');
    expect(plain.server.requests).toEqual([]);
  });

  it('is accepted unverified for the host that says so, and not for the target of its redirect', async () => {
    await using loopback = await startLoopback({ tls });
    await using other = await startLoopback({ tls });
    await loopback.server.putImage({ repository: 'library/redis', tag: 'latest' }, testImage(1));
    await using client = clientFor({ origin: loopback.server.origin, insecure: 'skip-tls-verify' });
    await client.resolve(redis);
    loopback.server.fail({ action: { kind: 'redirect', location: `${other.server.origin}/x` } });
    expect((await registryError(() => client.getManifest(redis))).code).toBe('ERR_RKT_REGISTRY_TLS');
    expect(other.server.requests).toEqual([]);
  });

  it('takes further authorities', async () => {
    await using loopback = await startLoopback({ tls });
    await loopback.server.putImage({ repository: 'library/redis', tag: 'latest' }, testImage(1));
    const transport = undiciTransport({ ca: [tls.cert] });
    await using client = createRegistry({
      transport: transport.send,
      hosts: () => [{ origin: loopback.server.origin }],
    });
    await client.resolve(redis);
    await transport.close();
  });
});

describe('an operation', () => {
  it('that is aborted while certificates are read ends then, and not when somebody answers', async () => {
    const silent = createSocketServer((socket) => socket.resume().on('error', () => undefined)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const controller = new AbortController();
    const transport = undiciTransport({
      tls: async () => {
        controller.abort(new Error('no longer wanted'));
        return undefined;
      },
    });
    const url = new URL(`https://127.0.0.1:${(silent.address() as AddressInfo).port}/v2/`);
    const { signal } = controller;
    const asked = transport.send({ method: 'GET', url, headers: {}, verifyTls: true, signal });
    await expect(asked).rejects.toThrow('no longer wanted');
    await transport.close();
    silent.close();
  });
});

describe('closing', () => {
  it('ends connections that are still being made', async () => {
    let closed = false;
    const silent = createSocketServer((socket) => {
      socket.resume();
      socket.once('close', () => {
        closed = true;
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const origin = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const client = clientFor({ origin });
    await expect(client.resolve(redis, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    await client[Symbol.asyncDispose]();
    await expect.poll(() => closed).toBe(true);
    silent.close();
  });
});

describe('proxies', () => {
  it('are taken from the environment that is handed over', () => {
    expect(proxyFromEnvironment({})).toBeUndefined();
    expect(proxyFromEnvironment({ NO_PROXY: 'x', HTTP_PROXY: '' })).toBeUndefined();
    expect(proxyFromEnvironment({ https_proxy: '', HTTPS_PROXY: 'http://upper:1' })).toEqual({
      httpsProxy: 'http://upper:1',
    });
    expect(proxyFromEnvironment({ HTTP_PROXY: 'http://upper:1', http_proxy: 'http://lower:1', no_proxy: 'x' })).toEqual(
      {
        httpProxy: 'http://lower:1',
        noProxy: 'x',
      },
    );
  });

  it.each([
    ['ftp://u:secret-word@proxy.invalid', 'is no http or https URL'],
    ['http://u:secret-word@[bad', 'is no http or https URL'],
    ['u:secret-word@proxy:99999', 'is no http or https URL'],
    ['http://u:secret-word-100%@proxy:3128', 'write it as "%25"'],
    ['u%ff:secret-word@proxy:3128', 'write it as "%25"'],
  ])('that are none are told without their password: %s', async (proxy, reason) => {
    const transport = undiciTransport({ proxy: { httpProxy: proxy, httpsProxy: proxy } });
    for (const [origin, variable] of [
      ['https://registry.invalid', 'HTTPS_PROXY'],
      ['http://registry.invalid', 'HTTP_PROXY'],
    ] as const) {
      const host: RegistryHost = { origin, insecure: 'http' };
      await using client = createRegistry({ transport: transport.send, retry: FAST_RETRY, hosts: () => [host] });
      const error = await registryError(() => client.resolve(parseReference('registry.invalid/x')));
      expect(error.code).toBe('ERR_RKT_REGISTRY_UNREACHABLE');
      expect(error.message).toContain(`the proxy in ${variable} `);
      expect(error.message).toContain(reason);
      expect(JSON.stringify([error, error.message, error.cause])).not.toContain('secret-word');
    }
    await transport.close();
  });

  it('carry the traffic, but for the hosts they are not for', async () => {
    await using loopback = await startLoopback();
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(1));
    let proxied = 0;
    const proxy = createServer((incoming, response) => {
      proxied += 1;
      // For plain http a proxy is asked with the whole URL.
      const target = new URL(incoming.url ?? '');
      target.hostname = '127.0.0.1';
      const upstream = request(target, { method: incoming.method, headers: incoming.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      upstream.end();
    });
    proxy.listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const httpProxy = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const through = undiciTransport({ proxy: { httpProxy } });
    const around = undiciTransport({ proxy: { httpProxy, noProxy: 'registry.invalid' } });
    const remote: RegistryHost = { origin: `http://registry.invalid:${loopback.server.port}`, insecure: 'http' };
    const ask = async (transport: ClosableTransport, ...hosts: readonly RegistryHost[]) => {
      await using client = createRegistry({ transport: transport.send, retry: FAST_RETRY, hosts: () => hosts });
      return await client.resolve(loopback.reference('x'));
    };
    await ask(through, remote);
    expect(proxied).toBe(1);
    // Credentials go over plain http to loopback, which is safe only if nobody stands in between.
    await ask(through);
    expect((await registryError(() => ask(around, remote))).code).toBe('ERR_RKT_REGISTRY_UNREACHABLE');
    expect(proxied).toBe(1);
    await Promise.all([through.close(), around.close()]);
    proxy.closeAllConnections();
    proxy.close();
  });
});
