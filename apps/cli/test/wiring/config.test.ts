// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistryRule } from '../../src/wiring/config/config.ts';
import { loadConfig } from '../../src/wiring/config/load-config.ts';
import { hostsOf } from '../../src/wiring/registry-hosts.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-cli-config-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: unknown): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function auth(registries: readonly string[], user: string): object {
  return { rktKind: 'dockerAuth', rktVersion: 'v1', registries, credentials: { user, password: 'secret-word' } };
}

function server(type: string, credentials: unknown): Readonly<Record<string, unknown>> {
  return { rktKind: 'auth', rktVersion: 'v1', domains: ['coreos.com'], type, credentials };
}

function mirrors(registries: readonly unknown[]): object {
  return { rktKind: 'registryMirrors', rktVersion: 'v1', registries };
}

function load(...dirs: readonly string[]) {
  return loadConfig(dirs.map((dir) => join(root, dir)));
}

describe('the configuration', () => {
  it('of directories that do not exist says nothing', () => {
    const config = load('system', 'local');
    expect(config).toEqual({
      auth: new Map(),
      dockerAuth: new Map(),
      registries: new Map(),
      dataDir: undefined,
      stage1Images: undefined,
      stage1: undefined,
      passwordFiles: [],
    });
  });

  it('of a later directory replaces that of an earlier one, item by item', () => {
    write('system/auth.d/a.json', auth(['quay.io', 'index.docker.io'], 'system'));
    write('local/auth.d/b.json', auth(['quay.io'], 'local'));
    const older = write('system/paths.d/p.json', {
      rktKind: 'paths',
      rktVersion: 'v1',
      data: '/system',
      'stage1-images': '/images',
    });
    const paths = write('local/paths.d/p.json', { rktKind: 'paths', rktVersion: 'v1', data: '/local' });
    const stage1 = write('local/stage1.d/s.json', { rktKind: 'stage1', rktVersion: 'v1', name: 'oci' });
    const source = write(
      'local/registries.d/r.json',
      mirrors([{ domain: 'docker.io', mirrors: [{ location: '127.0.0.1:5000' }] }]),
    );
    const config = load('system', 'local');
    expect(config.dockerAuth.get('quay.io')?.credential.user).toBe('local');
    expect(config.dockerAuth.get('docker.io')?.credential.user).toBe('system');
    expect(config.stage1Images).toEqual({ path: '/images', source: older });
    expect(config.dataDir).toEqual({ path: '/local', source: paths });
    expect(config.stage1).toEqual({ name: 'oci', version: undefined, location: undefined, source: stage1 });
    expect(config.registries.get('docker.io')).toEqual({
      source,
      rule: {
        domain: 'docker.io',
        mirrors: [{ location: '127.0.0.1:5000', insecure: false }],
        insecure: false,
        blocked: false,
      },
    });
  });

  it('ignores what is no configuration file: other names, directories, symbolic links', () => {
    write('local/auth.d/notes.txt', 'not JSON');
    mkdirSync(join(root, 'local/auth.d/sub.json'));
    symlinkSync(write('elsewhere.json', 'not JSON'), join(root, 'local/auth.d/link.json'));
    expect(load('local').dockerAuth.size).toBe(0);
  });

  it('reads what servers of ACIs are told, in its three forms, and keeps it from registries', () => {
    const source = write('local/auth.d/a.json', server('basic', { user: 'u', password: 'p' }));
    write('local/auth.d/b.json', { ...server('oauth', { token: 't' }), domains: ['b.example:8080'] });
    const keys = { accessKeyID: 'AKIA', secretAccessKey: 's/s', awsRegion: 'eu-west-1' };
    write('local/auth.d/c.json', { ...server('aws', keys), domains: ['s3.example'] });
    const { auth: read, dockerAuth } = load('local');
    expect(read.get('coreos.com')).toEqual({ credential: { type: 'basic', user: 'u', password: 'p' }, source });
    expect(read.get('b.example:8080')?.credential).toEqual({ type: 'oauth', token: 't' });
    expect(read.get('s3.example')?.credential).toEqual({ type: 'aws', ...keys });
    expect(dockerAuth.size).toBe(0);
  });

  it.each([
    [{ ...server('basic', {}), domains: undefined }, 'domains must be a list'],
    [{ ...server('basic', {}), domains: [] }, 'domains must name at least one'],
    [{ ...server('oauth', { token: 't' }), domains: ['a.example', 7] }, 'domains[1] must be a string'],
    [
      { ...server('oauth', { token: 't' }), domains: ['https://a.example'] },
      'domains[0] must be host[:port], got "https://a.example"',
    ],
    [server('digest', {}), 'type must be basic, oauth or aws, got "digest"'],
    [{ ...server('basic', {}), credentials: undefined }, 'credentials must be an object'],
    [{ ...server('basic', {}), credentials: 'secret-word' }, 'credentials must be an object'],
    [server('basic', {}), 'credentials.user must be a string'],
    [server('basic', { user: 'u' }), 'credentials.password must be a string'],
    [server('basic', { user: 'u', password: 17_000_001 }), 'credentials.password must be a string'],
    [server('basic', { user: '', password: 'secret-word' }), 'credentials.user must not be empty'],
    [server('basic', { user: 'u:v', password: 'secret-word' }), 'credentials.user must not contain a colon'],
    [
      server('basic', { user: 'u', password: 'secret-word\n' }),
      'credentials.password must not contain control characters',
    ],
    [server('basic', { token: 'secret-word' }), 'unknown key "token" in credentials, expected user, password'],
    [server('oauth', { token: '' }), 'credentials.token must not be empty'],
    [server('oauth', { user: 'u', password: 'secret-word' }), 'unknown key "user" in credentials, expected token'],
    [server('aws', { accessKeyID: 'a' }), 'credentials.secretAccessKey must be a string'],
    [
      server('aws', { accessKeyID: 'a', secretAccessKey: 'secret-word', region: 'x' }),
      'unknown key "region" in credentials, expected accessKeyID, secretAccessKey, awsRegion',
    ],
    [{ ...auth(['quay.io'], 'u:v') }, 'credentials.user must not contain a colon'],
    [{ ...auth(['quay.io'], 'u'), credentials: undefined }, 'credentials must be an object'],
  ])('of %j in auth.d says which field of which file is wrong, and nothing else', (content, reason) => {
    const file = write('local/auth.d/x.json', content);
    const message = `cannot use configuration "${file}": ${reason}`;
    expect(() => load('local')).toThrow(expect.objectContaining({ code: 'ERR_RKT_CLI_CONFIG_INVALID', message }));
  });

  it.each([
    ['auth.d/x.json', '{"rktKind": "dockerAuth", ', 'it is not valid JSON'],
    ['auth.d/x.json', '[]', 'the file must be an object'],
    ['auth.d/x.json', { ...auth(['quay.io'], 'u'), rktVersion: 'v2' }, 'rktVersion must be "v1", got "v2"'],
    ['auth.d/x.json', { rktKind: 'paths', rktVersion: 'v1' }, 'rktKind must be auth or dockerAuth, got "paths"'],
    ['auth.d/x.json', auth([], 'u'), 'registries must name at least one'],
    [
      'auth.d/x.json',
      auth(['https://quay.io'], 'u'),
      'registries[0] must name a registry as host[:port], got "https://quay.io"',
    ],
    ['auth.d/x.json', auth(['quay.io'], ''), 'credentials.user must not be empty'],
    [
      'paths.d/x.json',
      { rktKind: 'paths', rktVersion: 'v1', data: 'relative' },
      'data must be an absolute path, got "relative"',
    ],
    [
      'registries.d/x.json',
      mirrors([{ domain: 'a.example', mirrors: [{ location: 'http://x' }] }]),
      'location must be',
    ],
    [
      'registries.d/x.json',
      mirrors([{ domain: 'a.example', mirrors: [{ location: 'user:pw@x' }] }]),
      'registries[0].mirrors[0].location must be host[:port][/path], got "user:(redacted)@x"',
    ],
    [
      'registries.d/x.json',
      mirrors([{ domain: 'a.example', mirrors: [{ location: 'x.example/../y' }] }]),
      'registries[0].mirrors[0].location must be host[:port][/path], got "x.example/../y"',
    ],
    [
      'registries.d/x.json',
      mirrors([{ domain: 'u:pw@a.example' }]),
      'registries[0].domain must name a registry as host[:port], got "u:(redacted)@a.example"',
    ],
    [
      'registries.d/x.json',
      mirrors([{ domain: 'a.example', mirror: [] }]),
      'unknown key "mirror" in registries[0], expected domain, mirrors, insecure, blocked',
    ],
    [
      'registries.d/x.json',
      mirrors([{ domain: 'a.example', mirrors: [{ location: 'x', secure: true }] }]),
      'unknown key "secure" in registries[0].mirrors[0], expected location, insecure',
    ],
    [
      'registries.d/x.json',
      { ...mirrors([]), 'a\u001b': 1 },
      'unknown key "a\\u001b", expected rktKind, rktVersion, registries',
    ],
    ['auth.d/x.json', { ...auth(['quay.io'], 'u'), registry: 1 }, 'unknown key "registry", expected rktKind'],
    [
      'auth.d/x.json',
      { ...auth(['quay.io'], 'u'), credentials: { username: 'u' } },
      'unknown key "username" in credentials, expected user, password',
    ],
    ['paths.d/x.json', { rktKind: 'paths', rktVersion: 'v1', dir: '/x' }, 'unknown key "dir", expected rktKind'],
    [
      'registries.d/x.json',
      mirrors([{ domain: 'a.example', blocked: 'yes' }]),
      'registries[0].blocked must be true or false',
    ],
  ])('in %s: %j is an error with file and reason', (path, content, reason) => {
    const file = write(`local/${path}`, content);
    expect(() => load('local')).toThrow(expect.objectContaining({ code: 'ERR_RKT_CLI_CONFIG_INVALID' }));
    expect(() => load('local')).toThrow(file);
    expect(() => load('local')).toThrow(reason);
  });

  it('never repeats a password in its complaint', () => {
    write('local/auth.d/x.json', `{"credentials": {"password": "hunter2"`);
    expect(() => load('local')).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });

  it('may not say a thing twice in one directory', () => {
    const first = write('local/auth.d/a.json', auth(['quay.io'], 'one'));
    write('local/auth.d/b.json', auth(['quay.io'], 'two'));
    const text = `credentials for docker registry "quay.io" are already specified in "${first}"`;
    expect(() => load('local')).toThrow(text);
  });

  it.each([
    ['auth.d', server('oauth', { token: 't' }), 'credentials for "coreos.com" are already specified'],
    ['paths.d', { rktKind: 'paths', rktVersion: 'v1', data: '/a' }, 'data path is already specified'],
    ['stage1.d', { rktKind: 'stage1', rktVersion: 'v1', name: 'oci' }, 'stage1 is already specified'],
    ['registries.d', mirrors([{ domain: 'a.example' }]), 'rules for registry "a.example" are already specified'],
  ])('may not say a thing twice in %s, and names both files', (place, content, reason) => {
    const first = write(`local/${place}/a.json`, content);
    const second = write(`local/${place}/b.json`, content);
    expect(() => load('local')).toThrow(`cannot use configuration "${second}": ${reason} in "${first}"`);
  });

  it('is not read from files that are too large', () => {
    write('local/auth.d/a.json', ' '.repeat((1 << 20) + 1));
    expect(() => load('local')).toThrow('it is larger than 1048576 bytes');
  });
});

describe('the hosts of a domain', () => {
  const none = new Set<never>();
  const rule = (about: Partial<RegistryRule>): RegistryRule => {
    return { domain: 'x', mirrors: [], insecure: false, blocked: false, ...about };
  };

  it('are the registry itself where nothing is configured', () => {
    expect(hostsOf('quay.io', undefined, none)).toEqual([{ origin: 'https://quay.io' }]);
    expect(hostsOf('docker.io', undefined, none)).toEqual([{ origin: 'https://registry-1.docker.io' }]);
    expect(hostsOf('127.0.0.1:5000', undefined, none)).toEqual([{ origin: 'http://127.0.0.1:5000' }]);
  });

  it('are the mirrors in their order, then the registry', () => {
    const mirrored = rule({
      mirrors: [
        { location: '127.0.0.1:5000', insecure: true },
        { location: 'cache.example/hub', insecure: false },
      ],
    });
    expect(hostsOf('docker.io', mirrored, none)).toEqual([
      // Plain HTTP; should it speak TLS, then with any certificate.
      { origin: 'http://127.0.0.1:5000', insecure: 'skip-tls-verify' },
      { origin: 'https://cache.example', prefix: 'hub' },
      { origin: 'https://registry-1.docker.io' },
    ]);
  });

  it('are asked over HTTP or without a valid certificate only where that is allowed', () => {
    const insecureMirror = rule({ mirrors: [{ location: 'old.example', insecure: true }] });
    expect(hostsOf('quay.io', insecureMirror, none)).toEqual([
      { origin: 'https://old.example', insecure: 'skip-tls-verify' },
      { origin: 'http://old.example', insecure: 'http' },
      { origin: 'https://quay.io' },
    ]);
    expect(hostsOf('quay.io', undefined, new Set(['tls'] as const))).toEqual([
      { origin: 'https://quay.io', insecure: 'skip-tls-verify' },
    ]);
    expect(hostsOf('quay.io', undefined, new Set(['http'] as const))).toEqual([
      { origin: 'https://quay.io' },
      { origin: 'http://quay.io', insecure: 'http' },
    ]);
  });

  it('are none when the domain is blocked', () => {
    expect(() => hostsOf('evil.example', rule({ blocked: true }), none)).toThrow('is blocked by the configuration');
  });
});
