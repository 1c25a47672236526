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

function mirrors(registries: readonly unknown[]): object {
  return { rktKind: 'registryMirrors', rktVersion: 'v1', registries };
}

function load(...dirs: readonly string[]) {
  return loadConfig(dirs.map((dir) => join(root, dir)));
}

describe('the configuration', () => {
  it('of directories that do not exist says nothing', () => {
    const config = load('system', 'local');
    expect([config.dataDir, config.flavor, config.registries.size, config.dockerCredentials.size]).toEqual([
      undefined,
      undefined,
      0,
      0,
    ]);
  });

  it('of a later directory replaces that of an earlier one, item by item', () => {
    write('system/auth.d/a.json', auth(['quay.io', 'index.docker.io'], 'system'));
    write('local/auth.d/b.json', auth(['quay.io'], 'local'));
    write('system/paths.d/p.json', { rktKind: 'paths', rktVersion: 'v1', data: '/system' });
    write('local/paths.d/p.json', { rktKind: 'paths', rktVersion: 'v1', data: '/local' });
    write('local/stage1.d/s.json', { rktKind: 'stage1', rktVersion: 'v1', name: 'oci' });
    write('local/registries.d/r.json', mirrors([{ domain: 'docker.io', mirrors: [{ location: '127.0.0.1:5000' }] }]));
    const config = load('system', 'local');
    expect(config.dockerCredentials.get('quay.io')?.user).toBe('local');
    expect(config.dockerCredentials.get('docker.io')?.user).toBe('system');
    expect(config).toMatchObject({ dataDir: '/local', flavor: 'oci' });
    expect(config.registries.get('docker.io')).toEqual({
      domain: 'docker.io',
      mirrors: [{ location: '127.0.0.1:5000', insecure: false }],
      insecure: false,
      blocked: false,
    });
  });

  it('ignores what is no configuration file: other names, directories, symbolic links', () => {
    write('local/auth.d/notes.txt', 'not JSON');
    mkdirSync(join(root, 'local/auth.d/sub.json'));
    symlinkSync(write('elsewhere.json', 'not JSON'), join(root, 'local/auth.d/link.json'));
    expect(load('local').dockerCredentials.size).toBe(0);
  });

  it('accepts the kinds of the original that are of no concern here', () => {
    const basic = { rktKind: 'auth', rktVersion: 'v1', domains: ['coreos.com'], type: 'basic', credentials: {} };
    write('local/auth.d/a.json', basic);
    expect(load('local').dockerCredentials.size).toBe(0);
  });

  it.each([
    ['auth.d/x.json', '{"rktKind": "dockerAuth", ', 'it is not valid JSON'],
    ['auth.d/x.json', '[]', 'the file must be an object'],
    ['auth.d/x.json', { ...auth(['quay.io'], 'u'), rktVersion: 'v2' }, 'rktVersion must be "v1", got "v2"'],
    ['auth.d/x.json', { rktKind: 'paths', rktVersion: 'v1' }, 'rktKind must be auth or dockerAuth, got "paths"'],
    ['auth.d/x.json', auth([], 'u'), 'registries must name at least one registry'],
    [
      'auth.d/x.json',
      auth(['https://quay.io'], 'u'),
      'registries must name a registry as host[:port], got "https://quay.io"',
    ],
    ['auth.d/x.json', auth(['quay.io'], ''), 'user must not be empty'],
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
      'location must be',
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
    ['registries.d/x.json', mirrors([{ domain: 'a.example', blocked: 'yes' }]), 'blocked must be true or false'],
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
    write('local/auth.d/a.json', auth(['quay.io'], 'one'));
    write('local/auth.d/b.json', auth(['quay.io'], 'two'));
    expect(() => load('local')).toThrow('credentials for docker registry "quay.io" are already specified');
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
      { origin: 'http://127.0.0.1:5000' },
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
