// SPDX-License-Identifier: Apache-2.0
//
// docs/guides/releasing.md, rehearsed: a copy of the working tree is versioned and published to a registry on loopback,
// and installed from there as a user would.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { execute } from '../src/execute.ts';
import { type LocalRegistry, startLocalRegistry } from '../src/local-registry.ts';
import { packages, root, typecheck } from '../src/project.ts';
import {
  addChangeset,
  copyForRelease,
  publishPackages,
  versionOf,
  versionPackages,
  waitingChangesets,
} from '../src/release-copy.ts';

const temporary = mkdtempSync(join(tmpdir(), 'rkt-release-'));
const copy = join(temporary, 'copy');
const home = join(temporary, 'home');
const consumer = join(temporary, 'consumer');
const before = repositoryState();
let registry: LocalRegistry;

beforeAll(async () => {
  mkdirSync(home);
  registry = await startLocalRegistry(join(temporary, 'registry'));
  copyForRelease(copy, home, registry);
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  rmSync(temporary, { recursive: true, force: true });
});

/** What a rehearsal must not change. */
function repositoryState(): object {
  const npmrc = join(homedir(), '.npmrc');
  const git = (args: readonly string[]) => (existsSync(join(root, '.git')) ? execute('git', args, { cwd: root }) : '');
  return {
    npmrc: existsSync(npmrc) ? readFileSync(npmrc, 'utf8') : undefined,
    tags: git(['tag', '--list']),
    manifests: packages.map((dir) => readFileSync(join(root, dir, 'package.json'), 'utf8')),
    changesets: waitingChangesets(root),
  };
}

it('versions what changesets name, and says so in changelogs', () => {
  const waiting = waitingChangesets(copy).length;
  addChangeset(copy, packages.map(manifestName), 'This is a rehearsal.');
  expect(waitingChangesets(copy)).toHaveLength(waiting + 1);
  versionPackages(copy, home);
  expect(waitingChangesets(copy)).toEqual([]);
  for (const dir of packages) {
    expect(versionOf(copy, dir), dir).not.toBe(versionOf(root, dir));
    const changelog = readFileSync(join(copy, dir, 'CHANGELOG.md'), 'utf8');
    expect(changelog).toContain(`## ${versionOf(copy, dir)}\n`);
    expect(changelog).toContain('This is a rehearsal.');
  }
});

it('publishes every package once, and tags it', () => {
  expect(publishPackages(copy, home, registry)).toContain('New tag:');
  const tags = execute('git', ['tag', '--list'], { cwd: copy }).trim().split('\n');
  expect(tags.sort()).toEqual(packages.map((dir) => `${manifestName(dir)}@${versionOf(copy, dir)}`).sort());
  expect(publishPackages(copy, home, registry)).not.toContain('New tag:');
});

it('installs with npm into an empty project, and its command runs', () => {
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  writeFileSync(join(consumer, '.npmrc'), registry.npmrc);
  const types = JSON.parse(readFileSync(join(root, 'node_modules/@types/node/package.json'), 'utf8')).version;
  execute('npm', ['install', '--ignore-scripts', '@rkt/cli', '@rkt/refparse', `@types/node@${types}`], {
    cwd: consumer,
    env: { npm_config_cache: join(home, 'npm-cache'), NO_PROXY: noProxy(), no_proxy: noProxy() },
  });
  const rkt = join(consumer, 'node_modules', '.bin', 'rkt');
  expect(execute(rkt, ['version'], { cwd: consumer })).toContain(`rkt Version: ${versionOf(copy, 'apps/cli')}\n`);
  expect(execute(rkt, ['image', 'list', `--dir=${join(temporary, 'data')}`, '--format=json'], { cwd: consumer })).toBe(
    '[]\n',
  );
});

it('is a library for JavaScript', () => {
  const script = `import { formatReference, parseReference } from '@rkt/refparse';
console.log(formatReference(parseReference('nginx')));`;
  writeFileSync(join(consumer, 'use.js'), script);
  expect(execute(process.execPath, ['use.js'], { cwd: consumer })).toBe('docker.io/library/nginx:latest\n');
});

it('is a library for TypeScript', () => {
  const script = `import { parseReference, type Reference } from '@rkt/refparse';
const reference: Reference = parseReference('quay.io/zanui/nginx');
console.log(reference.domain);`;
  writeFileSync(join(consumer, 'use.ts'), script);
  typecheck(consumer, ['use.ts']);
  expect(execute(process.execPath, ['use.ts'], { cwd: consumer })).toBe('quay.io\n');
  writeFileSync(join(consumer, 'misuse.ts'), script.replace("'quay.io/zanui/nginx'", '7'));
  expect(() => typecheck(consumer, ['misuse.ts'])).toThrow(/TS2345/);
});

it('leaves the repository and the home directory as they were', () => {
  expect(repositoryState()).toEqual(before);
});

function manifestName(dir: string): string {
  return JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')).name;
}

/** Loopback is nobody's proxy's business. */
function noProxy(): string {
  return [process.env['NO_PROXY'], '127.0.0.1'].filter(Boolean).join(',');
}
