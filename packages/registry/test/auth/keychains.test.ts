// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normalizeKey } from '../../src/auth/auth-document.ts';
import { authFiles, dockerConfigFiles } from '../../src/auth/auth-files.ts';
import {
  authFileKeychain,
  dockerConfigKeychain,
  type FileKeychainOptions,
  listCredentialFiles,
} from '../../src/index.ts';
import { registryError } from '../registry-error.ts';

let directory = '';
let env: Record<string, string> = {};
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rkt-keychain-'));
  env = { PATH: `${directory}:/usr/bin:/bin`, HOME: directory };
});
afterAll(() => rm(directory, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const basic = (username: string, password: string) => ({
  kind: 'basic',
  username,
  password,
  source: expect.stringContaining(directory),
});

async function config(document: unknown, name = 'config.json'): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof document === 'string' ? document : JSON.stringify(document), { mode: 0o600 });
  return path;
}

async function helper(name: string, script: string): Promise<void> {
  const path = join(directory, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

describe('dockerConfigKeychain', () => {
  it('finds entries however their key is spelled, and by whole components only', async () => {
    const path = await config({
      auths: {
        'https://index.docker.io/v1/': { auth: base64('hub:pass:word') },
        'https://quay.io': { username: 'u', password: 'p' },
        'https://quay.io/v2/': {},
        'LOCALHOST:5000': { auth: base64('l:p'), identitytoken: 'id' },
        'ghcr.io/v2/': { registrytoken: 'ready' },
        'empty.example': {},
      },
    });
    const keychain = dockerConfigKeychain({ path });
    const find = (domain: string) => keychain.resolve({ domain, path: 'a/b' });
    expect(await find('docker.io')).toEqual(basic('hub', 'pass:word'));
    expect(await find('quay.io')).toEqual(basic('u', 'p'));
    expect(await find('localhost:5000')).toEqual({ kind: 'identity-token', token: 'id', username: 'l', source: path });
    expect(await find('ghcr.io')).toEqual({ kind: 'bearer', token: 'ready', source: path });
    for (const domain of ['empty.example', 'evilquay.io', 'quay.io.evil.example', 'localhost', 'io', 'quay.io:443']) {
      expect(await find(domain)).toBeUndefined();
    }
  });

  it('reads the file where the environment says, and only the one it was given', async () => {
    await config({ auths: { 'quay.io': { auth: base64('u:p') } } });
    const target = { domain: 'quay.io', path: 'x' };
    expect(await dockerConfigKeychain({ env: { DOCKER_CONFIG: directory } }).resolve(target)).toEqual(basic('u', 'p'));
    expect(await dockerConfigKeychain({ env: { HOME: '/nonexistent' } }).resolve(target)).toBeUndefined();
    expect(await dockerConfigKeychain().resolve(target)).toBeUndefined();
  });

  it('says which entry of a broken file is wrong and prints none of it', async () => {
    for (const document of [
      '{"auths": {"quay.io": {"auth": "c2VjcmV0LXdvcmQ="}}}',
      '{"auths": {"quay.io": {"password": ["secret-word"]}}}',
      '{"auths": "secret-word"}',
      '{"auths": {"https://me:secret-word@quay.io": {"auth": 1}}}',
      'secret-word',
      '[]',
      '"secret-word"',
    ]) {
      const path = await config(document, 'broken.json');
      const error = await registryError(() => dockerConfigKeychain({ path }).resolve({ domain: 'quay.io', path: 'x' }));
      expect(error.code).toBe('ERR_RKT_REGISTRY_CREDENTIALS_INVALID');
      expect(error.message).toMatch(/broken\.json (is invalid at auths\S*|is no JSON object)$/);
      expect(`${error.message} ${String(error.cause)}`).not.toMatch(/secret-word|c2Vj/);
    }
    const error = await registryError(() =>
      dockerConfigKeychain({ path: directory }).resolve({ domain: 'q.io', path: 'x' }),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_CREDENTIALS_INVALID');
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('credential helpers', () => {
  const target = { domain: 'quay.io', path: 'x' };

  it('are asked with the host on standard input', async () => {
    await helper(
      'echo',
      'read host; [ "$1" = get ] && printf \'{"ServerURL":"%s","Username":"u","Secret":"for %s"}\' "$host" "$host"',
    );
    const path = await config({ credHelpers: { 'quay.io': 'echo', 'docker.io': 'echo' } }, 'helpers.json');
    const keychain = dockerConfigKeychain({ path, env });
    expect(await keychain.resolve(target)).toEqual(basic('u', 'for quay.io'));
    expect(await keychain.resolve({ domain: 'docker.io', path: 'x' })).toEqual(
      basic('u', 'for https://index.docker.io/v1/'),
    );
    expect(await keychain.resolve({ domain: 'other.io', path: 'x' })).toBeUndefined();
  });

  it('may hold identity tokens, or nothing, and then the file counts', async () => {
    await helper('token', 'echo \'{"Username":"<token>","Secret":"refresh"}\'');
    await helper('none', 'echo "credentials not found in native keychain"; exit 1');
    const tokens = await config({ credsStore: 'token' }, 'token.json');
    expect(await dockerConfigKeychain({ path: tokens, env }).resolve(target)).toEqual({
      kind: 'identity-token',
      token: 'refresh',
      source: `docker-credential-token, which ${tokens} names`,
    });
    const fallback = await config({ credsStore: 'none', auths: { 'quay.io': { auth: base64('u:p') } } }, 'none.json');
    expect(await dockerConfigKeychain({ path: fallback, env }).resolve(target)).toEqual(basic('u', 'p'));
  });

  it.each([
    ['missing', undefined, /not installed/],
    ['failing', 'echo secret-word; echo secret-word >&2; exit 3', /status 3/],
    ['babbling', 'echo secret-word', /not what the protocol says/],
    ['flooding', 'yes secret-word', /too much/],
    ['../../bin/sh', undefined, /not a file name/],
  ])('that are %s are an error that shows none of their output', async (name, script, text) => {
    if (script !== undefined) await helper(name, script);
    const path = await config(
      { credHelpers: { 'quay.io': name }, auths: { 'other.io': { auth: base64('o:p') } } },
      'bad.json',
    );
    const keychain = dockerConfigKeychain({ path, env });
    const error = await registryError(() => keychain.resolve(target));
    expect(error).toMatchObject({ code: 'ERR_RKT_REGISTRY_CREDENTIAL_HELPER', credentialSource: path });
    expect(error.message).toMatch(text);
    expect(error.message).toContain(`docker-credential-${name}, which ${path} names`);
    expect(error.message).not.toContain('secret-word');
    // CVE-2021-41092: what is wrong for one registry changes nothing for another.
    expect(await keychain.resolve({ domain: 'other.io', path: 'x' })).toEqual(basic('o', 'p'));
    expect(await keychain.resolve({ domain: 'docker.io', path: 'x' })).toBeUndefined();
  });

  it('end with the operation that asked, whatever they make of signals', async () => {
    const pidFile = join(directory, 'stubborn.pid');
    await helper('stubborn', `trap '' TERM; echo $$ > ${pidFile}; while :; do sleep 0.05; done`);
    const path = await config({ credsStore: 'stubborn' }, 'stubborn.json');
    const abort = new AbortController();
    const asked = dockerConfigKeychain({ path, env }).resolve(target, { signal: abort.signal });
    asked.catch(() => undefined);
    await expect.poll(() => readFile(pidFile, 'utf8').catch(() => '')).toMatch(/^[0-9]+\n$/);
    const pid = Number(await readFile(pidFile, 'utf8'));
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('are answered although what they started holds their output open', async () => {
    const pidFile = join(directory, 'agent.pid');
    await helper('agent', `sleep 60 & echo $! > ${pidFile}; echo '{"Username":"u","Secret":"p"}'`);
    const path = await config({ credsStore: 'agent' }, 'agent.json');
    const started = performance.now();
    expect(await dockerConfigKeychain({ path, env }).resolve(target)).toEqual(basic('u', 'p'));
    expect(performance.now() - started).toBeLessThan(10_000);
    process.kill(Number(await readFile(pidFile, 'utf8')));
  });

  it('end with the operation that asked', async () => {
    await helper('slow', 'exec sleep 60');
    const path = await config({ credsStore: 'slow' }, 'slow.json');
    const signal = AbortSignal.timeout(100);
    await expect(dockerConfigKeychain({ path, env }).resolve(target, { signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

describe('a file of credentials without end', () => {
  it('is read no further than 4 MiB', async () => {
    const keychain = authFileKeychain({ path: '/dev/zero' });
    const error = await registryError(() => keychain.resolve({ domain: 'quay.io', path: 'x' }));
    expect(error.code).toBe('ERR_RKT_REGISTRY_CREDENTIALS_INVALID');
    expect(error.message).toBe('credentials file /dev/zero is larger than 4194304 bytes');
  });
});

describe('authFileKeychain', () => {
  it('takes the entry that names most of the repository', async () => {
    const path = await config(
      {
        auths: {
          'quay.io': { auth: base64('host:p') },
          'quay.io/org': { auth: base64('org:p') },
          'quay.io/org/app': { auth: base64('app:p') },
        },
      },
      'auth.json',
    );
    const keychain = authFileKeychain({ env: { REGISTRY_AUTH_FILE: path } });
    const user = async (repository: string) => {
      const found = await keychain.resolve({ domain: 'quay.io', path: repository });
      return found?.kind === 'basic' ? found.username : undefined;
    };
    expect(await user('org/app')).toBe('app');
    expect(await user('org/app/part')).toBe('app');
    expect(await user('org/application')).toBe('org');
    expect(await user('organisation/app')).toBe('host');
  });

  it('looks into the runtime directory first, then into the configuration of the user', async () => {
    const home = await mkdtemp(join(directory, 'home-'));
    const write = async (path: string, login: string): Promise<void> => {
      await mkdir(join(home, path, 'containers'), { recursive: true });
      const text = JSON.stringify({
        auths: { [`${path.slice(1)}.example`]: {}, 'both.example': { auth: base64(login) } },
      });
      await writeFile(join(home, path, 'containers/auth.json'), text);
    };
    const keychain = authFileKeychain({ env: { HOME: home, XDG_RUNTIME_DIR: join(home, '.run') }, uid: 4_294_967_000 });
    const both = { domain: 'both.example', path: 'x' };
    expect(await keychain.resolve(both)).toBeUndefined();
    await write('.config', 'config:p');
    expect(await keychain.resolve(both)).toEqual(basic('config', 'p'));
    await write('.run', 'run:p');
    expect(await keychain.resolve(both)).toEqual(basic('run', 'p'));
    const withoutRuntime = authFileKeychain({ env: { HOME: home }, uid: 4_294_967_000 });
    expect(await withoutRuntime.resolve(both)).toEqual(basic('config', 'p'));
  });

  it('tells once of a file that everybody may read, if it holds a secret', async () => {
    const told: string[] = [];
    const onExposed: FileKeychainOptions['onExposed'] = (...exposed) => told.push(exposed.join(' '));
    const path = await config({ auths: { 'quay.io': { auth: base64('u:p') } } }, 'exposed.json');
    const keychain = authFileKeychain({ path, onExposed });
    await keychain.resolve({ domain: 'quay.io', path: 'x' });
    expect(told).toEqual([]);
    await chmod(path, 0o644);
    const open = authFileKeychain({ path, onExposed });
    await open.resolve({ domain: 'quay.io', path: 'x' });
    await open.resolve({ domain: 'quay.io', path: 'x' });
    expect(told).toEqual([`${path} everyone`]);
    const helpersOnly = await config({ credHelpers: { 'quay.io': 'none' } }, 'helpers.json');
    await authFileKeychain({ path: helpersOnly, onExposed }).resolve({ domain: 'other.example', path: 'x' });
    expect(told).toEqual([`${path} everyone`]);
  });
});

describe('a file of credentials that somebody names', () => {
  const path = '/nonexistent/auth.json';
  const target = { domain: 'quay.io', path: 'x' };
  const fails = async (work: () => unknown, by: string): Promise<void> => {
    const error = await registryError(work);
    expect(error.code).toBe('ERR_RKT_REGISTRY_CREDENTIALS_INVALID');
    expect(error.message).toBe(`credentials file ${path}, which ${by} names, does not exist`);
  };

  it('must be there', async () => {
    const env = { REGISTRY_AUTH_FILE: path };
    await fails(() => authFileKeychain({ env }).resolve(target), '$REGISTRY_AUTH_FILE');
    await fails(() => listCredentialFiles({ env }), '$REGISTRY_AUTH_FILE');
    await fails(() => authFileKeychain({ path }).resolve(target), 'the caller');
    await fails(() => dockerConfigKeychain({ path }).resolve(target), 'the caller');
  });
});

describe('normalizeKey', () => {
  it.each([
    ['https://index.docker.io/v1/', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['Quay.io/Org/app', 'quay.io/Org/app'],
    ['http://localhost:5000/v2/', 'localhost:5000'],
    ['host/v2x', 'host/v2x'],
  ])('%s is %s', (key, expected) => {
    expect(normalizeKey(key)).toBe(expected);
  });
});

describe('variables that are empty', () => {
  it('are none: nothing is read from the working directory', () => {
    const none = { HOME: '', DOCKER_CONFIG: '', REGISTRY_AUTH_FILE: '', XDG_RUNTIME_DIR: '', XDG_CONFIG_HOME: '' };
    expect([dockerConfigFiles({ env: none }), authFiles({ env: none })]).toEqual([[], []]);
    const home = { ...none, HOME: '/home/u' };
    expect(dockerConfigFiles({ env: home })).toEqual([{ path: '/home/u/.docker/config.json' }]);
    expect(authFiles({ env: home, uid: 7 })).toEqual([
      { path: '/run/containers/7/auth.json' },
      { path: '/home/u/.config/containers/auth.json' },
    ]);
  });
});

describe('listCredentialFiles', () => {
  it('tells whose credentials there are, in the order in which they count, and none of them', async () => {
    const named = await config({ auths: { 'r.example/team': { auth: base64('bob:hunter2') } } }, 'named.json');
    const auths = {
      'https://index.docker.io/v1/': { identitytoken: 'hunter2' },
      'https://me:hunter2@odd.example': { registrytoken: 'hunter2' },
      'out.example': {},
    };
    const path = await config({ auths, credHelpers: { 'me:hunter2@gcr.io': 'gcloud' }, credsStore: 'pass' });
    const places = { DOCKER_CONFIG: directory, REGISTRY_AUTH_FILE: named };
    expect(await listCredentialFiles({ env: places })).toEqual([
      { path: named, auths: [{ registry: 'r.example/team', kind: 'basic', username: 'bob' }], credHelpers: {} },
      {
        path,
        auths: [
          { registry: 'docker.io', kind: 'identity-token' },
          { registry: 'odd.example', kind: 'bearer' },
        ],
        credHelpers: { 'gcr.io': 'gcloud' },
        credsStore: 'pass',
      },
    ]);
    const same = { DOCKER_CONFIG: directory, REGISTRY_AUTH_FILE: path };
    expect((await listCredentialFiles({ env: same })).map((file) => file.path)).toEqual([path]);
    expect(await listCredentialFiles({ env: { HOME: '/nonexistent' } })).toEqual([]);
    await chmod(path, 0o644);
    await chmod(named, 0o600);
    expect((await listCredentialFiles({ env: places })).map(({ exposed }) => exposed)).toEqual([undefined, 'everyone']);
    await config('{"auths": "hunter2"}', 'named.json');
    const failure = await registryError(() => listCredentialFiles({ env: places }));
    expect(failure.code).toBe('ERR_RKT_REGISTRY_CREDENTIALS_INVALID');
    expect(failure.message).not.toContain('hunter2');
  });
});
