// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type ExecuteOptions, execute } from './execute.ts';
import type { LocalRegistry } from './local-registry.ts';
import { pnpm, pnpmProgram, root } from './project.ts';

const changeset = join(root, 'node_modules', '@changesets', 'cli', 'bin.js');

/** What a release neither needs nor changes. The packages' compiled files are needed. */
const leftOut = ['.git', '.cache', '.compile-cache', '.turbo', 'node_modules', '.sea', 'rkt', 'release'];

/** A copy of the working tree, as a repository of its own with one commit, its packages linked to each other. */
export function copyForRelease(copy: string, home: string, { npmrc }: LocalRegistry): void {
  cpSync(root, copy, { recursive: true, filter: (path) => path === root || !isLeftOut(relative(root, path)) });
  const env = identity(home);
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A'],
    ['commit', '-q', '-m', 'What is released'],
  ]) {
    execute('git', args, { cwd: copy, env });
  }
  const install = ['install', '--frozen-lockfile', '--prod', '--prefer-offline', '--ignore-scripts', '--no-optional'];
  pnpm(install, copy);
  appendFileSync(join(copy, '.npmrc'), npmrc);
}

/** One more changeset, for every package: right after a release, none waits. */
export function addChangeset(copy: string, names: readonly string[], summary: string): void {
  const entries = names.map((name) => `'${name}': patch\n`).join('');
  writeFileSync(join(copy, '.changeset', 'rehearsal.md'), `---\n${entries}---\n\n${summary}\n`);
}

/** Applies the changesets: versions, ranges of siblings, changelogs. */
export function versionPackages(copy: string, home: string): void {
  execute(process.execPath, [changeset, 'version'], { cwd: copy, env: identity(home) });
}

/** Publishes every package whose version the registry lacks; gives what was said. */
export function publishPackages(copy: string, home: string, registry: LocalRegistry): string {
  return execute(process.execPath, [changeset, 'publish'], publishOptions(copy, home, registry));
}

/** Nothing but the rehearsal's registry, nobody's credentials but its own. */
function publishOptions(copy: string, home: string, registry: LocalRegistry): ExecuteOptions {
  return {
    cwd: copy,
    env: {
      ...identity(home),
      PATH: `${dirname(pnpmProgram())}:${process.env['PATH']}`,
      npm_config_registry: registry.url,
      npm_config_userconfig: join(home, '.npmrc'),
      npm_config_cache: join(home, 'npm-cache'),
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
    },
  };
}

export function versionOf(copy: string, dir: string): string {
  return JSON.parse(readFileSync(join(copy, dir, 'package.json'), 'utf8')).version;
}

/** The changesets that wait to be applied. */
export function waitingChangesets(copy: string): readonly string[] {
  return readdirSync(join(copy, '.changeset')).filter((name) => name.endsWith('.md') && name !== 'README.md');
}

function isLeftOut(path: string): boolean {
  const name = basename(path);
  if (name === 'rkt' || name === 'release') return basename(dirname(path)) === 'dist';
  return leftOut.includes(name);
}

function identity(home: string): Readonly<Record<string, string>> {
  const [name, email] = ['Rehearsal', 'rehearsal@localhost'];
  return {
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}
