// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../src/certificates.ts';
import { etcOf, REGISTRY_NAME, rktWithNames } from '../src/named-host.ts';
import { type Finished, type Installation, installation } from '../src/rkt.ts';
import { startWebServer, type WebServer } from '../src/web-server.ts';

const NAME = `${REGISTRY_NAME}/app`;
const IMAGE = '/files/app-1.0.aci';
const PAGE = `<html><head>
<meta name="ac-discovery" content="${REGISTRY_NAME} https://${REGISTRY_NAME}/files/app-{version}.{ext}">
<meta name="ac-discovery-pubkeys" content="${REGISTRY_NAME} https://${REGISTRY_NAME}/keys.asc">`;

let publisher: string;
let certificates: Certificates;
let aci: Buffer;
let host: Installation;
let web: WebServer;

beforeAll(() => {
  publisher = mkdtempSync(join(tmpdir(), 'rkt-e2e-publisher-'));
  certificates = makeCertificates(publisher, REGISTRY_NAME);
  gpg('--passphrase', '', '--quick-generate-key', 'Publisher <publisher@example.com>', 'rsa2048', 'sign', '1d');
  aci = makeAci();
});
afterAll(() => {
  execFileSync('gpgconf', ['--kill', 'all'], { env: { ...process.env, GNUPGHOME: publisher } });
  rmSync(publisher, { recursive: true });
});

beforeEach(async () => {
  host = installation();
  web = await startWebServer({ certificates, port: 443 });
  web.files.set('/?ac-discovery=1', Buffer.from(PAGE));
  web.files.set('/keys.asc', gpg('--armor', '--export'));
  web.files.set(IMAGE, aci);
  web.files.set(`${IMAGE}.asc`, gpg('--armor', '--output', '-', '--detach-sign', join(publisher, 'app.aci')));
  const certs = join(etcOf(host), 'containers/certs.d', REGISTRY_NAME);
  mkdirSync(certs, { recursive: true });
  copyFileSync(certificates.ca, join(certs, 'ca.crt'));
});
afterEach(async () => {
  await web[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

function gpg(...args: readonly string[]): Buffer {
  const env = { ...process.env, GNUPGHOME: publisher };
  return execFileSync('gpg', ['--batch', '--quiet', '--yes', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** As anybody can make one: GNU tar over a manifest and a directory. */
function makeAci(): Buffer {
  const work = join(publisher, 'app');
  mkdirSync(join(work, 'rootfs'), { recursive: true });
  const labels = [{ name: 'version', value: '1.0' }];
  const manifest = { acKind: 'ImageManifest', acVersion: '0.8.11', name: NAME, labels };
  writeFileSync(join(work, 'manifest'), JSON.stringify(manifest));
  writeFileSync(join(work, 'rootfs/data'), randomBytes(3 << 20));
  const file = join(publisher, 'app.aci');
  execFileSync('tar', ['--create', '--gzip', `--file=${file}`, `--directory=${work}`, '.']);
  return readFileSync(file);
}

function idOf(file: string): string {
  const tar = execFileSync('gzip', ['-dc', file], { maxBuffer: 64 << 20 });
  return `sha512-${createHash('sha512').update(tar).digest('hex')}`;
}

function rkt(...args: readonly string[]): Promise<Finished> {
  return rktWithNames(host, args);
}

describe('an ACI that was signed with gpg', () => {
  it('is discovered, and taken with the key that is discovered, too', async () => {
    const untrusted = await rkt('fetch', `${NAME}:1.0`);
    expect(untrusted).toMatchObject({ status: 254, stdout: '' });
    expect(untrusted.stderr).toContain('is signed by nobody who is trusted: key ');
    expect(web.requests).not.toContain(`GET ${IMAGE}`);
    const trusted = await rkt('--trust-keys-from-https', 'fetch', '--full', `${NAME}:1.0`);
    expect(trusted.stderr).toContain('rkt: signature verified:\n  Publisher <publisher@example.com>\n');
    expect(trusted).toMatchObject({ status: 0, stdout: `${idOf(join(publisher, 'app.aci'))}\n` });
    web.requests.splice(0);
    expect(await rkt('fetch', `${NAME}:1.0`)).toMatchObject({ status: 0 });
    expect(web.requests).toEqual([
      'GET /app?ac-discovery=1',
      'GET /?ac-discovery=1',
      `GET ${IMAGE}.asc`,
      `GET ${IMAGE}`,
    ]);
    expect(await rkt('image', 'verify')).toMatchObject({ status: 0 });
  });

  it('is fetched by its URL, in two parts if need be', async () => {
    expect(
      await rkt('trust', '--root', '--skip-fingerprint-review', `https://${REGISTRY_NAME}/keys.asc`),
    ).toMatchObject({
      status: 0,
    });
    web.cutAfter(1 << 20);
    const url = `https://${REGISTRY_NAME}${IMAGE}`;
    expect(await rkt('fetch', url)).toMatchObject({ status: 254, stdout: '' });
    web.cutAfter(Number.POSITIVE_INFINITY);
    web.requests.splice(0);
    expect(await rkt('fetch', '--full', url)).toMatchObject({
      status: 0,
      stdout: `${idOf(join(publisher, 'app.aci'))}\n`,
    });
    expect(web.requests).toEqual([`GET ${IMAGE}.asc`, expect.stringMatching(`^GET ${IMAGE} bytes=[1-9]\\d+-$`)]);
  });

  it('is refused when a byte of it is another', async () => {
    const changed = Buffer.from(aci);
    changed[9] = (changed[9] ?? 0) ^ 1;
    web.files.set(IMAGE, changed);
    const { status, stderr } = await rkt('--trust-keys-from-https', 'fetch', `${NAME}:1.0`);
    expect([status, stderr]).toEqual([254, expect.stringContaining('is not to be trusted')]);
    expect((await rkt('image', 'list', '--no-legend')).stdout).toBe('');
  });
});
