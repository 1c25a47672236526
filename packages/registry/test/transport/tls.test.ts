// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { parseReference } from '@rkt/refparse';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createRegistry,
  isRegistryError,
  listCertsDirectories,
  readCertsDirectories,
  readSystemCertificates,
  type TlsLookup,
  undiciTransport,
} from '../../src/index.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
const cert = fixture('loopback.cert.pem');
const key = fixture('loopback.key.pem');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-certs-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(host: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(root, host), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, host, name), text);
}

describe('directories of certificates', () => {
  it('reads authorities and the client certificate of the host and port asked for', async () => {
    put('registry.example:5000', { 'ca.crt': `# ours\n${cert}`, 'client.cert': cert, 'client.key': key });
    const settings = await readCertsDirectories([join(root, 'none'), root])('https://registry.example:5000');
    expect(settings).toEqual({ ca: [cert.trim()], cert: cert.trim(), key });
    const lookup = readCertsDirectories([root]);
    expect(await lookup('https://registry.example')).toBeUndefined();
    expect(await lookup('https://registry.example:5001')).toBeUndefined();
    expect(await lookup('http://registry.example:5000')).toBeUndefined();
  });

  it.each([
    ['registry.example', 'https://registry.example'],
    ['registry.example:443', 'https://registry.example'],
    ['docker.io', 'https://registry-1.docker.io'],
    ['[::1]:5000', 'https://[::1]:5000'],
  ])('%s is for %s', async (name, origin) => {
    put(name, { 'ca.crt': cert });
    expect(await readCertsDirectories([root])(origin)).toEqual({ ca: [cert.trim()] });
  });

  it('that are empty are told from those that are not there', async () => {
    put('registry.example:5000', {});
    const lookup = readCertsDirectories([join(root, 'none'), root]);
    expect(await lookup('https://registry.example:5000')).toEqual({});
    expect(await lookup('https://registry.example:5001')).toBeUndefined();
  });

  it('are listed with what is in them, and what is wrong in them is told', async () => {
    put('b.example', { 'ca.crt': cert, 'notes.txt': 'x' });
    put('a.example:5000', { 'client.cert': cert, 'client.key': key });
    put('empty.example', {});
    writeFileSync(join(root, 'stray.crt'), 'x');
    const path = (name: string): string => join(root, name);
    const client = { cert: 'client.cert', key: 'client.key' };
    expect(await listCertsDirectories([path('none'), root])).toEqual([
      { path: path('a.example:5000'), registry: 'a.example:5000', authorities: [], client },
      { path: path('b.example'), registry: 'b.example', authorities: ['ca.crt'] },
      { path: path('empty.example'), registry: 'empty.example', authorities: [] },
    ]);
    put('b.example', { 'x.crt': 'x' });
    await expect(listCertsDirectories([root])).rejects.toMatchObject({ code: 'ERR_RKT_REGISTRY_CERTIFICATES_INVALID' });
  });

  it('adds up authorities of all directories and takes the first client certificate', async () => {
    put('a/registry.example', { 'ca.crt': cert });
    put('b/registry.example', { 'ca.crt': cert, 'x.cert': cert, 'x.key': key });
    const lookup = readCertsDirectories([join(root, 'a'), join(root, 'b')]);
    expect(await lookup('https://registry.example')).toMatchObject({ ca: [cert.trim(), cert.trim()], key });
  });

  it('never leaves the directory', async () => {
    put('.', { 'ca.crt': cert });
    const lookup = readCertsDirectories([join(root, 'certs.d')]);
    expect(await lookup('https://../')).toBeUndefined();
  });

  const other = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'a certificate without its key',
      { 'ca.cert': cert },
      'ca.cert has no key: expected ca.key beside it, or the ending .crt if',
    ],
    [
      'a key without its certificate',
      { 'me.key': key, 'me.crt': cert },
      'me.key has no client certificate: expected me.cert beside it',
    ],
    ['an authority that is none', { 'ca.crt': 'hello' }, 'ca.crt is not the certificate of an authority: expected PEM'],
    [
      'a broken certificate',
      { 'ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
      'ca.crt is not the certificate',
    ],
    ['a key that is none', { 'me.cert': cert, 'me.key': 'secret' }, 'me.key is no private key that can be used'],
    ['the key of another', { 'me.cert': cert, 'me.key': other }, 'me.key does not belong to client certificate'],
    ['a file too large', { 'ca.crt': 'x'.repeat((1 << 20) + 1) }, 'ca.crt is larger than 1048576 bytes'],
  ])('refuses %s and names the file', async (_what, files, text) => {
    put('registry.example', files);
    const failure = await readCertsDirectories([root])('https://registry.example').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_RKT_REGISTRY_CERTIFICATES_INVALID' });
    expect(String(failure)).toContain(text);
    expect(String(failure)).not.toContain('secret');
  });
});

describe('the authorities of the system', () => {
  it('are one file, and another one if it is named', async () => {
    writeFileSync(join(root, 'bundle'), cert);
    expect(await readSystemCertificates(join(root, 'bundle'))).toEqual([cert]);
    await expect(readSystemCertificates(join(root, 'none'))).rejects.toMatchObject({
      code: 'ERR_RKT_REGISTRY_CERTIFICATES_INVALID',
    });
  });
});

/** An https server on 127.0.0.1 that answers with what `answer` says and notes whether it saw a client certificate. */
async function tlsServer(answer: (path: string) => { status: number; location?: string; body?: string }) {
  const shown: boolean[] = [];
  const server: Server = createServer(
    { cert, key, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { socket } = request;
      shown.push(socket instanceof TLSSocket && Object.keys(socket.getPeerCertificate()).length > 0);
      const { status, location, body } = answer(request.url ?? '');
      response.writeHead(status, location === undefined ? {} : { location });
      response.end(body);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://127.0.0.1:${port}`,
    domain: `127.0.0.1:${port}`,
    shown,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('TLS settings of single origins', () => {
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2 },
    layers: [],
  });

  async function pull(origin: string, domain: string, tls: TlsLookup, ca?: () => Promise<readonly string[]>) {
    const transport = undiciTransport({ tls, ...(ca === undefined ? {} : { ca }) });
    const client = createRegistry({
      transport: transport.send,
      hosts: () => [{ origin }],
      retry: { attempts: 1 },
    });
    try {
      return await client.getManifest(parseReference(`${domain}/team/app:1`)).catch((error: unknown) => error);
    } finally {
      await transport.close();
    }
  }

  it('shows the client certificate to its own origin, and none to the target of a redirect', async () => {
    await using target = await tlsServer(() => ({ status: 200, body: manifest }));
    await using home = await tlsServer((path) => ({ status: 307, location: `${target.origin}${path}` }));
    const tls: TlsLookup = (origin) => (origin === home.origin ? { ca: [cert], cert, key } : { ca: [cert] });
    const fetched = await pull(home.origin, home.domain, tls);
    expect(isRegistryError(fetched) ? fetched.message : 'no error').toBe('no error');
    expect(home.shown).toEqual([true]);
    expect(target.shown).toEqual([false]);
  });

  it('shows none to an anonymous request, whose origin is trusted as always', async () => {
    await using server = await tlsServer(() => ({ status: 200 }));
    const transport = undiciTransport({ tls: () => ({ ca: [cert], cert, key }) });
    const url = new URL(server.origin);
    const request = { method: 'GET', url, headers: {}, verifyTls: true } as const;
    for (const anonymous of [{}, { anonymous: true }, {}] as const) {
      const { status, body } = await transport.send({ ...request, ...anonymous });
      expect(status).toBe(200);
      body.cancel();
    }
    await transport.close();
    expect(server.shown).toEqual([true, false, true]);
  });

  it('trusts an authority for its own origin only', async () => {
    await using target = await tlsServer(() => ({ status: 200, body: manifest }));
    await using home = await tlsServer((path) => ({ status: 307, location: `${target.origin}${path}` }));
    const failure = await pull(home.origin, home.domain, (origin) =>
      origin === home.origin ? { ca: [cert] } : undefined,
    );
    expect(failure).toMatchObject({ code: 'ERR_RKT_REGISTRY_TLS', origin: target.origin });
    expect(String(failure)).toContain('not signed by an authority that is trusted here');
    expect(target.shown).toEqual([]);
  });

  it('asks for the common authorities once, and not at all for plain http', async () => {
    await using home = await tlsServer(() => ({ status: 200, body: manifest }));
    let asked = 0;
    const ca = (): Promise<readonly string[]> => {
      asked += 1;
      return Promise.resolve([cert]);
    };
    expect(await pull('http://127.0.0.1:1', '127.0.0.1:1', () => undefined, ca)).toMatchObject({
      code: 'ERR_RKT_REGISTRY_UNREACHABLE',
    });
    expect(asked).toBe(0);
    expect(await pull(home.origin, home.domain, () => undefined, ca)).not.toBeInstanceOf(Error);
    expect(asked).toBe(1);
  });

  it('fails with what is wrong about the settings', async () => {
    put('127.0.0.1:1', { 'ca.cert': cert });
    const failure = await pull('https://127.0.0.1:1', '127.0.0.1:1', readCertsDirectories([root]));
    expect(failure).toMatchObject({ code: 'ERR_RKT_REGISTRY_CERTIFICATES_INVALID' });
  });
});
