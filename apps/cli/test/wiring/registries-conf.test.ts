// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseReference } from '@rkt/refparse';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRegistriesConf, ruleFor } from '../../src/wiring/config/registries-conf.ts';
import { hostsOfRule } from '../../src/wiring/registry-hosts.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-containers-'));
  mkdirSync(join(directory, 'registries.conf.d'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);

async function hosts(name: string, insecure: 'tls' | 'http' | undefined = undefined) {
  const repository = parseReference(name);
  const rule = ruleFor(repository, await loadRegistriesConf({ directory }));
  const options = new Set(insecure === undefined ? [] : [insecure]);
  return rule === undefined ? undefined : hostsOfRule(repository, rule, options);
}

describe('registries.conf', () => {
  it('of a machine without one says nothing, and neither does what is about short names or of version 1', async () => {
    expect(await loadRegistriesConf({ directory: join(directory, 'none') })).toEqual([]);
    write('registries.conf', 'unqualified-search-registries = ["x.example"]\n[aliases]\n"a" = "b.example/a"\n');
    write('registries.conf.d/old.conf', '[registries.search]\nregistries = ["x.example"]\n');
    write('registries.conf.d/notes.txt', 'not TOML [');
    expect(await hosts('x.example/app')).toBeUndefined();
  });

  it('names mirrors and another location for the longest prefix', async () => {
    write(
      'registries.conf',
      `[[registry]]
      location = "registry.example"
      [[registry.mirror]]
      location = "cache.example:5000/all"
      insecure = true
      [[registry]]
      prefix = "registry.example/team/app"
      location = "elsewhere.example/apps/"
      [[registry.mirror]]
      location = "near.example"
      pull-from-mirror = "digest-only"`,
    );
    expect(await hosts('registry.example/team/application')).toEqual([
      { origin: 'https://cache.example:5000', prefix: 'all', insecure: 'skip-tls-verify' },
      { origin: 'http://cache.example:5000', prefix: 'all', insecure: 'http' },
      { origin: 'https://registry.example' },
    ]);
    expect(await hosts('registry.example/team/app/part')).toEqual([
      { origin: 'https://near.example', strip: 'team/app', capabilities: new Set(['pull']) },
      { origin: 'https://elsewhere.example', prefix: 'apps', strip: 'team/app' },
    ]);
    expect(await hosts('registry.example.org/team/app')).toBeUndefined();
  });

  it('knows wildcards, and lets a later file replace a prefix', async () => {
    write('registries.conf', '[[registry]]\nprefix = "*.example.com"\ninsecure = true\n');
    expect(await hosts('a.b.example.com:5000/x')).toEqual([
      { origin: 'https://a.b.example.com:5000', insecure: 'skip-tls-verify' },
      { origin: 'http://a.b.example.com:5000', insecure: 'http' },
    ]);
    expect(await hosts('example.com/x')).toBeUndefined();
    write('registries.conf.d/10.conf', '[[registry]]\nprefix = "*.example.com"\n');
    expect(await hosts('a.example.com/x')).toEqual([{ origin: 'https://a.example.com' }]);
    write('registries.conf.d/20.conf', '[[registry]]\nlocation = "a.example.com"\nblocked = true\n');
    await expect(hosts('a.example.com/x')).rejects.toThrow('"a.example.com/x" is blocked');
  });

  it('that was named must be there', async () => {
    const file = join(directory, 'nosuch.conf');
    const message = `cannot use configuration "${file}": there is no such file`;
    const failure = { code: 'ERR_RKT_CLI_CONFIG_INVALID', message };
    await expect(loadRegistriesConf({ file })).rejects.toMatchObject(failure);
  });

  it.each([
    ['[[registry]]\nlocation = "x', 'cannot use configuration'],
    ['[[registry]]\ninsecure = true', 'registry[0] must have a prefix or a location'],
    ['[[registry]]\nlocation = "https://x.example"', 'registry[0].location must be host[:port][/path]'],
    ['[[registry]]\nlocation = "x.example/../y"', 'registry[0].location must be host[:port][/path]'],
    ['[[registry]]\nlocation = "x.example"\nblocked = "yes"', 'registry[0].blocked must be true or false'],
    ['[[registry]]\nlocation = "x.example"\n[[registry.mirror]]', 'registry[0].mirror[0].location must be'],
    ['[registry]\nlocation = "x.example"', 'registry must be a list of tables: [[registry]]'],
  ])('that says %j is refused by name', async (content, reason) => {
    write('registries.conf', content);
    const failure = await loadRegistriesConf({ directory }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_RKT_CLI_CONFIG_INVALID' });
    expect(String(failure)).toContain(reason);
    expect(String(failure)).toContain('registries.conf');
  });
});
