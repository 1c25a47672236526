// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { parseReference } from '@rkt/refparse';
import { describe, expect, it } from 'vitest';
import { createRegistry, type Registry, type RegistryHost, undiciTransport } from '../../src/index.ts';
import { startTestRegistry } from '../../src/testing/index.ts';
import { FAST_RETRY, startLoopback, testImage } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
const tls = { key: fixture('loopback.key.pem'), cert: fixture('loopback.cert.pem') };

/** A client that has been told nothing about loopback but an authority. */
function trusting(): { readonly client: Registry } & AsyncDisposable {
  const transport = undiciTransport({ ca: [tls.cert] });
  const client = createRegistry({ transport: transport.send, retry: FAST_RETRY });
  return { client, [Symbol.asyncDispose]: () => transport.close() };
}

async function listening(server: Server): Promise<{ readonly domain: string } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    domain: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

/** What Go's servers of TLS answer a plain request with, byte for byte. */
const GO = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/** A registry behind TLS that answers plain requests as servers written in Go do. */
async function likeGo(behind: string): Promise<{ readonly domain: string } & AsyncDisposable> {
  const { connect } = await import('node:net');
  const { hostname, port } = new URL(behind);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first) => {
      if (first[0] !== 0x16) return socket.end(GO);
      const inner = connect(Number(port), hostname, () => inner.write(first));
      inner.on('error', () => socket.destroy());
      return socket.pipe(inner).pipe(socket);
    });
  });
  return listening(server);
}

describe('a registry on loopback that speaks TLS', () => {
  it('is asked over TLS without being told to, however it answers plain requests', async () => {
    await using registry = await startTestRegistry({ tls });
    await registry.putImage({ repository: 'a/b', tag: 'v' }, testImage(1));
    await using go = await likeGo(registry.origin);
    for (const domain of [registry.domain, go.domain]) {
      await using local = trusting();
      const reference = parseReference(`${domain}/a/b:v`);
      const { digest } = await local.client.resolve(reference);
      expect((await local.client.getManifest(reference)).descriptor.digest).toBe(digest);
    }
  });

  it('with a certificate that nobody vouches for is refused, and never asked over plain HTTP again', async () => {
    await using registry = await startTestRegistry({ tls });
    await using client = createRegistry({ retry: FAST_RETRY });
    for (let times = 0; times < 2; times += 1) {
      const error = await registryError(() => client.resolve(parseReference(`${registry.domain}/a/b:v`)));
      expect(error).toMatchObject({ code: 'ERR_RKT_REGISTRY_TLS', origin: registry.origin });
      expect(error.message).toContain('not signed by an authority that is trusted here');
    }
  });

  it('and demands a certificate of the client is asked over TLS, too', async () => {
    const server = createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true, ca: [tls.cert] });
    server.on('tlsClientError', () => undefined);
    await using strict = await listening(server);
    await using local = trusting();
    const error = await registryError(() => local.client.resolve(parseReference(`${strict.domain}/a/b:v`)));
    expect(error.origin).toBe(`https://${strict.domain}`);
  });

  it('is told apart where plain HTTP is what somebody asked for', async () => {
    await using registry = await startTestRegistry({ tls });
    const host: RegistryHost = { origin: `http://${registry.domain}`, insecure: 'http' };
    await using client = createRegistry({ retry: FAST_RETRY, hosts: () => [host] });
    const error = await registryError(() => client.resolve(parseReference('a/b:v')));
    expect(error.message).toContain(`http://${registry.domain} was asked over plain HTTP and speaks TLS`);
  });
});

describe('a registry on loopback that does not speak TLS', () => {
  it.each([
    ['answers 400', 1, { kind: 'status', status: 400 }, 'ERR_RKT_REGISTRY_PROTOCOL'],
    ['hangs up', 3, { kind: 'drop' }, 'ERR_RKT_REGISTRY_TRUNCATED'],
  ] as const)('fails as it does when it %s, and is asked again as before', async (_what, times, action, code) => {
    await using loopback = await startLoopback();
    await loopback.server.putImage({ repository: 'a/b', tag: 'v' }, testImage(1));
    loopback.server.fail({ times, action });
    const reference = loopback.reference('a/b:v');
    const error = await registryError(() => loopback.client.getManifest(reference));
    expect(error).toMatchObject({ code, origin: loopback.server.origin });
    await loopback.client.getManifest(reference);
    expect(loopback.server.requests.every(({ path }) => path !== '/v2/')).toBe(true);
  });
});

describe('a registry on loopback that answers 400 and no handshake', () => {
  it('keeps nobody who has given up, and tells those who have not of nobody else', async () => {
    const handshakes = new Set<Socket>();
    let answered = 0;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (first) => {
        if (first[0] !== 0x16) {
          answered += 1;
          return socket.end(GO);
        }
        handshakes.add(socket);
        return socket.once('close', () => handshakes.delete(socket));
      });
    });
    await using silent = await listening(server);
    await using local = trusting();
    const reference = parseReference(`${silent.domain}/a/b:v`);
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = [first, second].map(({ signal }) => local.client.resolve(reference, { signal }));
    await expect.poll(() => [answered, handshakes.size]).toEqual([2, 1]);
    await sleep(100);
    const started = performance.now();
    first.abort(new Error('the first has given up'));
    await expect(asked[0]).rejects.toThrow('the first has given up');
    expect(handshakes.size).toBe(1);
    second.abort(new Error('the second has given up'));
    await expect(asked[1]).rejects.toThrow('the second has given up');
    expect(performance.now() - started).toBeLessThan(2000);
    // Whoever asks next is not told of those before.
    const next = new AbortController();
    const again = local.client.resolve(reference, { signal: next.signal });
    again.catch(() => undefined);
    await expect.poll(() => answered).toBe(3);
    await sleep(100);
    next.abort(new Error('the next has given up'));
    await expect(again).rejects.toThrow('the next has given up');
  });
});
