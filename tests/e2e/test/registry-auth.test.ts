// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedHost } from '../src/compared-host.ts';
import { type ConfiguredRegistry, startConfiguredRegistry, storeSmallImage } from '../src/configured-registry.ts';
import { freePort } from '../src/docker-registry.ts';
import { mirrors } from '../src/rkt.ts';
import { ISSUER, SERVICE, startTokenFront } from '../src/token-front.ts';

const insecure = '--insecure-options=image';
const login = { user: 'tester', password: 'open-sesame-7' };
/** bcrypt of the password, cost 4, as `htpasswd -B` writes it. */
const HTPASSWD = 'tester:$2y$04$o9eqdDqyyios86V.AiadP.q2DAnLGRRYsZgacTPp9ST1SUUgd6w/y\n';

let dir: string;
const host = comparedHost();
const registries: Record<string, string> = {};
const closing: AsyncDisposable[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-e2e-auth-'));
  await storeSmallImage(dir, 'team/app', '1');
  registries['htpasswd'] = (await startBasic()).host;
  registries['a token server'] = await startToken();
});
afterAll(async () => {
  for (const each of closing) await each[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

async function startBasic(): Promise<ConfiguredRegistry> {
  const path = join(dir, 'htpasswd');
  writeFileSync(path, HTPASSWD);
  const registry = await startConfiguredRegistry({ dir, sections: { auth: { htpasswd: { realm: 'test', path } } } });
  closing.push(registry);
  return registry;
}

async function startToken(): Promise<string> {
  const [cert, key] = [join(dir, 'token.pem'), join(dir, 'token.key')];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=tokens', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...made], { stdio: 'ignore' });
  const port = await freePort();
  const token = { realm: `http://127.0.0.1:${port}/token`, service: SERVICE, issuer: ISSUER, rootcertbundle: cert };
  const registry = await startConfiguredRegistry({ dir, sections: { auth: { token } } });
  closing.push(registry, await startTokenFront({ port, registryPort: registry.port, cert, key, login }));
  return `127.0.0.1:${port}`;
}

function configureLogin(domain: string, password: string): void {
  const credentials = { user: login.user, password };
  host.configure('auth.d/test.json', { rktKind: 'dockerAuth', rktVersion: 'v1', registries: [domain], credentials });
  chmodSync(join(host.configDir, 'auth.d/test.json'), 0o600);
}

describe.each(['htpasswd', 'a token server'])('a registry with %s', (kind) => {
  const name = (): string => registries[kind] ?? '';

  it('serves who knows the password', async () => {
    configureLogin(name(), login.password);
    const fetched = await host.rkt([insecure, 'fetch', `docker://${name()}/team/app:1`]);
    expect(fetched).toMatchObject({ status: 0, stdout: expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/) });
    expect(fetched.stderr).not.toContain('chmod 600');
  });

  it('refuses a wrong password in one line, keeps nothing and shows the password nowhere', async () => {
    configureLogin(name(), 'wrong-horse-9');
    for (const debug of [[], ['--debug']]) {
      const failed = await host.rkt([...debug, insecure, 'fetch', `docker://${name()}/team/app:1`]);
      expect(failed).toMatchObject({ status: 254, stdout: '' });
      expect(failed.stderr.match(/^fetch: /gm)).toHaveLength(1);
      const blamed = ` from ${join(host.configDir, 'auth.d/test.json')}`;
      expect(failed.stderr.split('\n').filter((line) => line.includes(blamed))).toHaveLength(2);
      for (const secret of ['wrong-horse-9', Buffer.from('tester:wrong-horse-9').toString('base64')]) {
        expect(failed.stderr).not.toContain(secret);
      }
    }
    expect((await host.rkt(['image', 'list', '--no-legend'])).stdout).toBe('');
  });

  it('refuses who has no password, and warns of a file that everybody can read', async () => {
    const failed = await host.rkt([insecure, 'fetch', `docker://${name()}/team/app:1`]);
    expect(failed).toMatchObject({ status: 254, stdout: '' });
    configureLogin(name(), login.password);
    chmodSync(join(host.configDir, 'auth.d/test.json'), 0o644);
    const warned = await host.rkt([insecure, 'fetch', `docker://${name()}/team/app:1`]);
    expect(warned.status).toBe(0);
    expect(warned.stderr).toContain('chmod 600');
  });
});

describe('a mirror that pulls through', () => {
  it('serves the domain it is configured for', async () => {
    await using upstream = await startConfiguredRegistry({ dir });
    const data = join(dir, 'mirrored');
    const proxy = { remoteurl: `http://${upstream.host}` };
    await using mirror = await startConfiguredRegistry({ dir, data, sections: { proxy } });
    host.configure('registries.d/mirror.json', mirrors(['registry.example'], mirror.host));
    const fetched = await host.rkt([insecure, 'fetch', 'docker://registry.example/team/app:1']);
    expect(fetched).toMatchObject({ status: 0, stdout: expect.stringMatching(/^sha512-[0-9a-f]{32}\n$/) });
  });
});
