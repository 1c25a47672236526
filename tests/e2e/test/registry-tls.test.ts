// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../src/certificates.ts';
import { comparedHost } from '../src/compared-host.ts';
import { type ConfiguredRegistry, startConfiguredRegistry, storeSmallImage } from '../src/configured-registry.ts';
import { etcOf, REGISTRY_NAME, rktWithNames } from '../src/named-host.ts';

let dir: string;
let files: Certificates;
let plain: ConfiguredRegistry;
let tls: ConfiguredRegistry;
let mutual: ConfiguredRegistry;
const host = comparedHost();

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-e2e-tls-'));
  files = makeCertificates(dir, REGISTRY_NAME);
  await storeSmallImage(dir, 'team/app', '1');
  const server = { certificate: files.server.cert, key: files.server.key };
  plain = await startConfiguredRegistry({ dir });
  tls = await startConfiguredRegistry({ dir, http: { tls: server } });
  mutual = await startConfiguredRegistry({ dir, http: { tls: { ...server, clientcas: [files.ca] } } });
});
afterAll(async () => {
  for (const registry of [plain, tls, mutual]) await registry[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** The user's own, or that of docker. */
function certsDirectory(
  registry: ConfiguredRegistry,
  { whose = 'user', name = REGISTRY_NAME }: { readonly whose?: 'user' | 'docker'; readonly name?: string } = {},
): string {
  const parent = whose === 'user' ? join(host.dir, '.config/containers') : join(etcOf(host), 'docker');
  const path = join(parent, 'certs.d', `${name}:${registry.port}`);
  mkdirSync(path, { recursive: true });
  return path;
}

function fetchFrom(registry: ConfiguredRegistry, options = '--insecure-options=image', name = REGISTRY_NAME) {
  return rktWithNames(host, [options, 'fetch', `docker://${name}:${registry.port}/team/app:1`]);
}

describe('a registry whose authority is private', () => {
  it('is refused in one line, and the hint says where the certificate belongs', async () => {
    const failed = await fetchFrom(tls);
    expect(failed).toMatchObject({ status: 254, stdout: '' });
    const lines = failed.stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('rkt: '));
    expect(lines).toEqual([
      expect.stringMatching(/^fetch: .*TLS failed: the certificate is not signed by an authority that is trusted here/),
      expect.stringContaining(`/etc/containers/certs.d/${REGISTRY_NAME}:${tls.port}`),
    ]);
  });

  it('is trusted with its certificate in certs.d, or for once with --insecure-options=tls', async () => {
    expect(await fetchFrom(tls, '--insecure-options=image,tls')).toMatchObject({ status: 0 });
    copyFileSync(files.ca, join(certsDirectory(tls), 'ca.crt'));
    expect(await fetchFrom(tls)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/) });
  });

  it('is trusted with /etc/docker/certs.d as docker trusts it, under that name and port alone', async () => {
    copyFileSync(files.ca, join(certsDirectory(tls, { whose: 'docker' }), 'ca.crt'));
    expect(await fetchFrom(tls)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/) });
    expect(await fetchFrom(mutual)).toMatchObject({ status: 254, stdout: '' });
    const directory = certsDirectory(mutual, { whose: 'docker' });
    copyFileSync(files.ca, join(directory, 'ca.crt'));
    copyFileSync(files.client.cert, join(directory, 'client.cert'));
    copyFileSync(files.client.key, join(directory, 'client.key'));
    expect(await fetchFrom(mutual)).toMatchObject({ status: 0 });
    const shown = await rktWithNames(host, ['config']);
    const { certificates }: { certificates: readonly object[] } = JSON.parse(shown.stdout);
    const registry = (port: number): string => `${REGISTRY_NAME}:${port}`;
    const path = (port: number): string => `/etc/docker/certs.d/${registry(port)}`;
    const client = { cert: 'client.cert', key: 'client.key' };
    expect(certificates).toEqual(
      expect.arrayContaining([
        { path: path(tls.port), registry: registry(tls.port), authorities: ['ca.crt'] },
        { path: path(mutual.port), registry: registry(mutual.port), authorities: ['ca.crt'], client },
      ]),
    );
  });

  it('that demands a client certificate gets the one of certs.d', async () => {
    const directory = certsDirectory(mutual);
    copyFileSync(files.ca, join(directory, 'ca.crt'));
    const without = await fetchFrom(mutual);
    expect(without).toMatchObject({ status: 254, stdout: '' });
    expect(without.stderr).toContain('TLS failed');
    copyFileSync(files.client.cert, join(directory, 'client.cert'));
    const half = await fetchFrom(mutual);
    expect(half).toMatchObject({ status: 254 });
    expect(half.stderr).toContain('client.cert has no key: expected client.key beside it');
    copyFileSync(files.client.key, join(directory, 'client.key'));
    expect(await fetchFrom(mutual)).toMatchObject({ status: 0 });
  });
});

describe('a registry behind a proxy', () => {
  it('is asked over TLS through its tunnel', async () => {
    const asked: string[] = [];
    const proxy = createServer().listen(0, '127.0.0.1');
    proxy.on('connect', ({ url = '' }, client: Socket) => {
      asked.push(url);
      const upstream = connect(tls.port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      for (const socket of [client, upstream]) socket.on('error', () => upstream.destroy());
    });
    await once(proxy, 'listening');
    const variables = { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
    const words = ['--insecure-options=image,tls', 'fetch', `docker://registry.invalid:${tls.port}/team/app:1`];
    expect(await rktWithNames(host, words, variables)).toMatchObject({ status: 0 });
    expect(new Set(asked)).toEqual(new Set([`registry.invalid:${tls.port}`]));
    proxy.close();
  });
});

describe('a registry that speaks plain HTTP', () => {
  it('is refused under any name but loopback, unless that is asked for', async () => {
    const failed = await fetchFrom(plain);
    expect(failed).toMatchObject({ status: 254, stdout: '' });
    expect(failed.stderr).toContain('TLS failed');
    expect(await fetchFrom(plain, '--insecure-options=image,http')).toMatchObject({ status: 0 });
  });
});

describe('a registry on loopback', () => {
  const name = '127.0.0.1';
  const fetched = { status: 0, stdout: expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/) };

  it('is asked over TLS if that is what it speaks, and its certificate must be trusted', async () => {
    const failed = await fetchFrom(tls, undefined, name);
    expect(failed).toMatchObject({ status: 254, stdout: '' });
    expect(failed.stderr).toContain('TLS failed: the certificate is not signed by an authority that is trusted here');
    expect(failed.stderr).toContain(`/etc/containers/certs.d/${name}:${tls.port}`);
    expect(await fetchFrom(tls, '--insecure-options=image,tls', name)).toMatchObject(fetched);
    copyFileSync(files.ca, join(certsDirectory(tls, { name }), 'ca.crt'));
    expect(await fetchFrom(tls, '--insecure-options=image', name)).toMatchObject(fetched);
  });

  it('that demands a client certificate is asked over TLS, too', async () => {
    const failed = await fetchFrom(mutual, '--insecure-options=image,tls', name);
    expect(failed).toMatchObject({ status: 254, stdout: '' });
    expect(failed.stderr).toContain('the server demands a client certificate, and none that it accepts is configured');
    expect(failed.stderr).toContain(`NAME.cert and NAME.key, into /etc/containers/certs.d/${name}:${mutual.port}`);
  });

  it('is asked over plain HTTP, but never where there is a directory of certificates for it', async () => {
    expect(await fetchFrom(plain, undefined, name)).toMatchObject(fetched);
    certsDirectory(plain, { name });
    const failed = await fetchFrom(plain, '--insecure-options=image,tls,http', name);
    expect(failed).toMatchObject({ status: 254, stdout: '' });
    expect(failed.stderr).toContain('TLS failed');
  });
});
