// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redactUrl } from '../../src/wiring/config/redact.ts';
import { fakeRuntime } from '../support/fake-runtime.ts';
import { rktWith } from '../support/run-rkt.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../../packages/registry/test/fixtures/${name}`, import.meta.url), 'utf8');
/** Every secret below has this in it, plain or in base64. */
const SECRET = 'hunter2';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-effective-'));
  write('registries.conf', '');
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(path: string, content: unknown): string {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(file, 0o600);
  return file;
}

const kind = (rktKind: string, says: object): object => ({ rktKind, rktVersion: 'v1', ...says });

function rkt(env: Readonly<Record<string, string>> = {}) {
  const places = {
    HOME: join(dir, 'home'),
    XDG_RUNTIME_DIR: join(dir, 'runtime'),
    CONTAINERS_REGISTRIES_CONF: join(dir, 'registries.conf'),
  };
  return rktWith(dir, { openRuntime: async () => fakeRuntime() }, { env: { ...places, ...env } });
}

function configureEverything(): void {
  const credentials = { user: 'ann', password: `${SECRET}-a` };
  write('user/auth.d/docker.json', kind('dockerAuth', { registries: ['quay.io'], credentials }));
  write('etc/auth.d/docker.json', kind('dockerAuth', { registries: ['quay.io', 'index.docker.io'], credentials }));
  write('etc/auth.d/basic.json', kind('auth', { domains: ['b.example', 'a.example'], type: 'basic', credentials }));
  const token = { token: `${SECRET}-t` };
  write('etc/auth.d/oauth.json', kind('auth', { domains: ['coreos.com'], type: 'oauth', credentials: token }));
  const keys = { accessKeyID: 'AKIA', secretAccessKey: SECRET, awsRegion: 'eu-west-1' };
  write('etc/auth.d/aws.json', kind('auth', { domains: ['s3.example'], type: 'aws', credentials: keys }));
  write('etc/paths.d/p.json', kind('paths', { data: '/srv/rkt', 'stage1-images': '/srv/stage1' }));
  write('user/paths.d/p.json', kind('paths', { data: '/home/rkt' }));
  const stage1 = { name: 'oci', version: '1', location: `https://ann:${SECRET}@x.example/stage1.aci` };
  write('etc/stage1.d/s.json', kind('stage1', stage1));
  const hub = { domain: 'docker.io', mirrors: [{ location: 'mirror.example/hub' }] };
  write(
    'etc/registries.d/r.json',
    kind('registryMirrors', { registries: [hub, { domain: 'bad.example', blocked: true }] }),
  );
  write(
    'registries.conf',
    '[[registry]]\nprefix = "old.example"\nlocation = "new.example/x"\n[[registry.mirror]]\nlocation = "near.example"\n',
  );
  const auths = { 'quay.io/team': { auth: base64(`bob:${SECRET}`) }, 'r.example': { registrytoken: SECRET } };
  write('runtime/containers/auth.json', { auths });
  const more = { auths: { 'https://index.docker.io/v1/': { identitytoken: SECRET }, 'out.example': {} } };
  write('home/.docker/config.json', { ...more, credHelpers: { 'gcr.io': 'gcloud' }, credsStore: 'pass' });
  const certs = 'home/.config/containers/certs.d/r.example:5000';
  write(`${certs}/ca.crt`, fixture('loopback.cert.pem'));
  write(`${certs}/client.cert`, fixture('loopback.cert.pem'));
  write(`${certs}/client.key`, fixture('loopback.key.pem'));
}

const proxies = { HTTPS_PROXY: `http://carl:${SECRET}@proxy.example:3128`, NO_PROXY: 'localhost,.example' };

describe('config', () => {
  it('prints all that is in effect with its sources, and no secret', async () => {
    configureEverything();
    const { status, stdout, stderr } = await rkt(proxies)(`--user-config=${dir}/user`, 'config');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).not.toContain(SECRET);
    expect(stdout).not.toContain(base64(SECRET).replace(/=+$/, ''));
    expect(stdout).not.toContain(base64(`bob:${SECRET}`));
    // The machine's own certificates are its own affair.
    const shown = JSON.parse(stdout.replaceAll(dir, '$DIR'));
    shown.certificates = shown.certificates.filter(({ path }: { path: string }) => path.startsWith('$DIR'));
    await expect(`${JSON.stringify(shown, undefined, '\t')}\n`).toMatchFileSnapshot('config.golden.txt');
  });

  it('warns of files of passwords that everybody may read', async () => {
    configureEverything();
    const exposed = ['etc/auth.d/oauth.json', 'runtime/containers/auth.json'].map((path) => join(dir, path));
    for (const path of exposed) chmodSync(path, 0o644);
    const { status, stdout, stderr } = await rkt()('config');
    expect(status).toBe(0);
    expect(stderr).toBe(
      exposed.map((path) => `config: warning: every user can read the passwords in "${path}": chmod 600 it\n`).join(''),
    );
    expect(JSON.parse(stdout).credentialFiles[0]).toMatchObject({ path: exposed[1], exposed: 'everyone' });
  });

  it('warns of a directory that is named and not there', async () => {
    const missing = join(dir, 'typo');
    const { status, stderr } = await rkt()(`--user-config=${missing}`, 'config');
    expect(status).toBe(0);
    expect(stderr).toBe(`config: warning: configuration directory "${missing}" does not exist\n`);
  });

  it('tells of a file that $REGISTRY_AUTH_FILE names and that is not there', async () => {
    const { status, stderr } = await rkt({ REGISTRY_AUTH_FILE: '/nonexistent/auth.json' })('config');
    expect(status).toBe(254);
    expect(stderr).toBe(
      'config: credentials file /nonexistent/auth.json, which $REGISTRY_AUTH_FILE names, does not exist\n',
    );
  });

  it('of nothing has the same form', async () => {
    const { stdout } = await rkt()('config', '--pretty-print=false');
    expect(stdout).toMatch(
      /^\{"inEffect":\{.*\},"stage0":\[\],"registriesConf":\[\],"credentialFiles":\[\],"certificates":\[.*\],"proxy":\{\}\}\n$/,
    );
  });

  it('says where rkt works and what with, whoever has said so', async () => {
    const shown = async (...flags: readonly string[]) => JSON.parse((await rkt()(...flags, 'config')).stdout).inEffect;
    const programs = [{ name: 'runtime', path: '/usr/bin/crun' }];
    expect(await shown()).toEqual({ dataDirectory: join(dir, 'data'), flavor: 'oci', programs });
    write('etc/stage1.d/s.json', kind('stage1', { name: 'coreos.com/rkt/stage1-fly', version: '1' }));
    expect(await shown(`--dir=${dir}/other`)).toEqual({ dataDirectory: join(dir, 'other'), flavor: 'fly', programs });
  });

  it('warns of a flavor that is configured and not known', async () => {
    write('etc/stage1.d/s.json', kind('stage1', { name: 'nosuch' }));
    const { status, stdout, stderr } = await rktWith(dir)('config');
    expect([status, JSON.parse(stdout).inEffect.programs]).toEqual([0, []]);
    expect(stderr).toBe('config: warning: flavor "nosuch" is not known, expected one of oci, fly\n');
  });

  it('escapes what a terminal could act on', async () => {
    write('etc/auth.d/a.json', kind('auth', { domains: ['a.example'], type: 'oauth', credentials: { token: 'x' } }));
    write('etc/stage1.d/s.json', kind('stage1', { name: 'oci\u009b31m\u001b[2J' }));
    const { status, stdout } = await rkt()('config');
    expect(status).toBe(0);
    expect(stdout).toContain('"oci\\u009b31m\\u001b[2J"');
  });

  it.each([
    ['etc/auth.d/x.json', '{', 'it is not valid JSON'],
    ['registries.conf', '[[registry]]\n', 'registry[0] must have a prefix or a location'],
    ['home/.docker/config.json', { auths: { 'a.example': { auth: SECRET } } }, 'is invalid at auths["a.example"].auth'],
    ['home/.config/containers/certs.d/a.example/x.cert', SECRET, 'x.cert has no key'],
  ])('with a fault in %s names the file, says what is wrong and prints nothing else', async (path, content, reason) => {
    const file = write(path, content);
    const { status, stdout, stderr } = await rkt()('config');
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toContain(file);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain(SECRET);
  });
});

describe('a URL without its secrets', () => {
  it.each([
    ['http://proxy.example:3128', 'http://proxy.example:3128'],
    ['proxy.example', 'proxy.example'],
    ['http://u:p@proxy.example', 'http://u:(redacted)@proxy.example'],
    ['u:p:q@proxy.example:80/x', 'u:(redacted)@proxy.example:80/x'],
    ['http://u:p@ss/w@proxy.example', 'http://u:(redacted)@proxy.example'],
    ['http://token@proxy.example', 'http://(redacted)@proxy.example'],
    ['http://:p@proxy.example', 'http://:(redacted)@proxy.example'],
    ['https://x.example/a.aci?signature=s', 'https://x.example/a.aci?(redacted)'],
    ['https://u:p@x.example/a?signature=s', 'https://u:(redacted)@x.example/a?(redacted)'],
    ['https://x.example/a?signature=s:t@u', 'https://(redacted)@u'],
  ])('of %s is %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});
