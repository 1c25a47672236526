// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { parseReference } from '@rkt/refparse';
import { describe, expect, it } from 'vitest';
import { createRegistry, type ProxySettings, type RegistryHost, undiciTransport } from '../../src/index.ts';
import { networkError } from '../../src/transport/network-error.ts';
import { proxyFor } from '../../src/transport/proxy.ts';
import { FAST_RETRY, startLoopback, testImage } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
const tls = { key: fixture('loopback.key.pem'), cert: fixture('loopback.cert.pem') };
const PASSWORD = 'do-not-leak';
const login = Buffer.from(`me:${PASSWORD}`).toString('base64');

/** A proxy that makes tunnels to this machine, whatever host was asked for. */
async function startTunnels(status = 200) {
  const asked: { readonly target: string; readonly headers: IncomingHttpHeaders }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer().listen(0, '127.0.0.1');
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('connect', (request, client: Socket) => {
    asked.push({ target: request.url ?? '', headers: request.headers });
    if (status !== 200) return client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
    const upstream = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    return undefined;
  });
  await once(server, 'listening');
  return {
    url: `http://me:${PASSWORD}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const remote = (port: number): RegistryHost => ({
  origin: `https://registry.invalid:${port}`,
  insecure: 'skip-tls-verify',
});

describe('a tunnel', () => {
  it('is made with the credentials of the proxy, which no registry and no target of its redirects sees (CVE-2024-30260)', async () => {
    await using proxy = await startTunnels();
    await using home = await startLoopback({ tls });
    await using elsewhere = await startLoopback();
    await elsewhere.server.putImage({ repository: 'x', tag: 'latest' }, testImage(1));
    await home.server.putImage({ repository: 'x', tag: 'latest' }, testImage(1));
    const transport = undiciTransport({ proxy: { httpsProxy: proxy.url } });
    await using client = createRegistry({
      transport: transport.send,
      retry: FAST_RETRY,
      hosts: () => [remote(home.server.port)],
    });
    await client.getManifest(parseReference('registry.invalid/x'));
    const location = `https://storage.invalid:${elsewhere.server.port}/x`;
    home.server.fail({ action: { kind: 'redirect', location } });
    // The other end of the second tunnel does not speak TLS: what arrives there is seen all the same.
    const error = await registryError(() => client.getManifest(parseReference('registry.invalid/x')));
    expect(error.code).toBe('ERR_RKT_REGISTRY_TLS');
    expect([...new Set(proxy.asked.map(({ target }) => target.split(':')[0]))]).toEqual([
      'registry.invalid',
      'storage.invalid',
    ]);
    for (const { headers } of proxy.asked) expect(headers['proxy-authorization']).toBe(`Basic ${login}`);
    for (const { headers } of home.server.requests)
      expect(JSON.stringify(headers)).not.toMatch(/proxy-auth|do-not-leak/);
    expect(elsewhere.server.requests).toEqual([]);
    await transport.close();
  });

  it('that the proxy refuses is an error without its password', async () => {
    await using proxy = await startTunnels(407);
    const transport = undiciTransport({ proxy: { httpsProxy: proxy.url } });
    await using client = createRegistry({ transport: transport.send, retry: { attempts: 1 } });
    const error = await registryError(() => client.resolve(parseReference('registry.invalid/x')));
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNREACHABLE');
    expect(error.message).toBe('https://registry.invalid: the proxy refused the connection (status 407)');
    expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toMatch(
      new RegExp(`${PASSWORD}|${login}`),
    );
    await transport.close();
  });
});

describe('a server that would rather speak HTTP/2', () => {
  it.each(['directly', 'through a proxy'])('is offered HTTP/1.1 alone, %s', async (way) => {
    await using proxy = await startTunnels();
    const spoken: (string | false | null)[] = [];
    const server = createSecureServer({ ...tls, allowHTTP1: true }, (_request, response) => response.end('{}'));
    server.on('secureConnection', ({ alpnProtocol }: TLSSocket) => spoken.push(alpnProtocol));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const isDirect = way === 'directly';
    const transport = undiciTransport(isDirect ? {} : { proxy: { httpsProxy: proxy.url } });
    const answer = await transport.send({
      method: 'GET',
      url: new URL(`https://${isDirect ? '127.0.0.1' : 'registry.invalid'}:${port}/v2/`),
      headers: {},
      verifyTls: false,
    });
    expect(answer.status).toBe(200);
    expect(spoken).toEqual(['http/1.1']);
    await transport.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe.each(['http', 'https'] as const)('a proxy for %s that never answers', (scheme) => {
  it('is given up in time, and its connection is closed with the transport', async () => {
    const sockets = new Set<Socket>();
    const silent = createSocketServer((socket) => {
      sockets.add(socket.resume());
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const transport = undiciTransport({
      proxy: { httpProxy: url, httpsProxy: url },
      headersTimeoutMs: 300,
      connectTimeoutMs: 300,
    });
    const host: RegistryHost = { origin: `${scheme}://registry.invalid`, insecure: 'http' };
    await using client = createRegistry({ transport: transport.send, retry: { attempts: 1 }, hosts: () => [host] });
    const error = await registryError(() => client.resolve(parseReference('registry.invalid/x')));
    expect(error.code).toBe('ERR_RKT_REGISTRY_TIMEOUT');
    await transport.close();
    await expect.poll(() => sockets.size).toBe(0);
    silent.close();
  });
});

describe('a proxy is chosen', () => {
  const settings = { httpProxy: 'plain.example:3128', httpsProxy: 'http://tunnel.example', noProxy: '10.0.0.0/8' };

  it.each([
    ['https://registry.example', 'http://tunnel.example/'],
    ['http://registry.example', 'http://plain.example:3128/'],
    ['https://10.0.0.1', undefined],
    ['https://localhost:5000', undefined],
    ['http://127.0.0.1:5000', undefined],
  ])('for %s: %s', (url, proxy) => {
    expect(proxyFor(new URL(url), settings)?.href).toBe(proxy);
  });

  it('by the scheme alone, as everywhere: one for http is none for https', () => {
    expect(proxyFor(new URL('https://registry.example'), { httpProxy: 'plain.example' })).toBeUndefined();
  });
});

describe('where https is not reached and the proxy is for http alone', () => {
  const ask = async (proxy: ProxySettings, url: string) => {
    const transport = undiciTransport({ proxy });
    try {
      return await registryError(() =>
        transport.send({ method: 'GET', url: new URL(url), headers: {}, verifyTls: true }),
      );
    } finally {
      await transport.close();
    }
  };
  const httpProxy = 'http://127.0.0.1:1';

  it('the error says what to set, and nothing of it otherwise', async () => {
    const error = await ask({ httpProxy }, 'https://0.0.0.0:1/v2/');
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNREACHABLE');
    expect(error.message).toBe(
      'https://0.0.0.0:1: connection refused; the proxy in HTTP_PROXY is for http alone: to use one for https, set HTTPS_PROXY',
    );
    for (const [proxy, url] of [
      [{ httpProxy, httpsProxy: httpProxy }, 'https://0.0.0.0:1/v2/'],
      [{ httpProxy, noProxy: '0.0.0.0' }, 'https://0.0.0.0:1/v2/'],
      [{ httpProxy }, 'https://127.0.0.1:1/v2/'],
      [{ httpProxy }, 'http://0.0.0.0:1/v2/'],
      [{}, 'https://0.0.0.0:1/v2/'],
    ] as const) {
      expect((await ask(proxy, url)).message).not.toContain('HTTPS_PROXY');
    }
  });

  it.each([
    ['UND_ERR_CONNECT_TIMEOUT', true],
    ['ENOTFOUND', true],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', false],
    ['ECONNRESET', false],
  ])('that is said of %s: %s', (code, isSaid) => {
    const error = networkError(Object.assign(new Error('x'), { code }), 'https://registry.example', 'set HTTPS_PROXY');
    expect(error.message.endsWith('; set HTTPS_PROXY')).toBe(isSaid);
  });
});
