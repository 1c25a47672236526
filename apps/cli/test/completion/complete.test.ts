// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '@rkt/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../../src/args/commands.ts';
import { complete } from '../../src/completion/complete.ts';
import { installedLibraries } from '../../src/wiring/installed-libraries.ts';
import { fakeIo } from '../support/fake-io.ts';
import { fakePod, fakeRuntime } from '../support/fake-runtime.ts';

const id = `sha512-${'ab'.repeat(64)}` as const;
let dir: string;
let names: readonly string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-complete-'));
  mkdirSync(join(dir, 'cas'));
  names = ['docker.io/library/redis:latest', '127.0.0.1:5000/app:1'];
});
afterEach(() => rmSync(dir, { recursive: true }));

/** The candidates for the last of the words, without what is said about them. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const io = fakeIo();
  const image = {
    id,
    name: names[0] ?? '',
    names,
    importedAt: 0,
    lastUsedAt: 0,
    size: 0,
    layers: [],
    acis: [],
    platform: undefined,
  };
  const store: Pick<Store, 'listImages' | typeof Symbol.asyncDispose> = {
    listImages: async () => [image],
    [Symbol.asyncDispose]: async () => undefined,
  };
  const runtime = fakeRuntime();
  for (const pod of ['5bc080ca-9e03', '88c15bd4-191d'])
    runtime.pods.set(pod, fakePod({ id: pod, apps: [{ name: 'web', imageId: id, state: 'running' }] }));
  const libraries = {
    ...installedLibraries,
    openStore: async () => store as Store,
    openRuntime: async () => runtime,
  };
  await complete([`--dir=${dir}`, ...words], io, libraries);
  expect(io.written.stderr).toBe('');
  return io.written.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t')[0] ?? '');
}

describe('what may follow', () => {
  it.each([
    ['a beginning of commands', ['run'], ['run', 'run-prepared']],
    ['a group', ['image', 'ver'], ['verify']],
    ['a shortened group', ['im', 'li'], ['list']],
    ['what rkt 1.30 would have taken it for', ['i', 'li'], ['list']],
    ['flags of a command', ['image', 'list', '--no'], ['--no-legend']],
    ['flags with values', ['run', '--dns-s'], ['--dns-search=']],
    ['a flag whose value may be left out', ['run', '--net'], ['--net', '--net=']],
    ['flags of every command', ['--insecure'], ['--insecure-options=']],
    ['a value of its own word', ['fetch', '--pull-policy', 'n'], ['never', 'new']],
    ['a joined value', ['fetch', '--pull-policy=u'], ['--pull-policy=update']],
    ['a member of a list', ['image', 'list', '--fields', 'id,na'], ['id,name']],
    ['a joined member of a list', ['--insecure-options=image,ht'], ['--insecure-options=image,http']],
    ['a known network', ['run', '--net=ho'], ['--net=host']],
    ['a truth', ['run', '--interactive=t'], ['--interactive=true']],
    ['a file', ['status', '--uuid-file', ''], [':files']],
    ['hidden flags', ['run', '--tree-b'], []],
    ['a shell', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['help about a command', ['help', 'fe'], ['fetch']],
    ['pods', ['status', '5'], ['5bc080ca-9e03']],
    ['one pod too many', ['status', '5bc080ca-9e03', '8'], []],
    ['as many pods as there are', ['rm', '5bc080ca-9e03', '8'], ['88c15bd4-191d']],
    ['a pod and a command in it', ['enter', '5bc080ca-9e03', 'l'], []],
    ['images of the store', ['image', 'rm', '127'], ['127.0.0.1:5000/app:1']],
    ['the familiar name of an image', ['run', 'red'], ['redis:latest', ':files']],
    ['the familiar name of an image of a registry', ['run', 'docker://red'], ['docker://redis:latest']],
    ['every image, as it is listed', ['image', 'rm', ''], ['redis:latest', '127.0.0.1:5000/app:1']],
    ['the name of an app for a pod', ['logs', 'we'], ['web']],
    ['pods and images', ['inspect', 'w'], ['web']],
    ['their IDs', ['image', 'rm', 'sha512-a'], [id]],
    ['an image of a registry', ['run', '--rm', 'docker://d'], ['docker://docker.io/library/redis:latest']],
    ['an image or an archive', ['run', '--rm', 'd'], ['docker.io/library/redis:latest', ':files']],
    ['a pod before an image', ['app', 'add', '5'], ['5bc080ca-9e03']],
    ['an image after a pod', ['app', 'add', '5bc080ca-9e03', '127'], ['127.0.0.1:5000/app:1', ':files']],
    ['an output', ['image', 'export', 'x', ''], [':files']],
    ['a key', ['trust', '--root', ''], [':files']],
    ['a signature', ['fetch', 'x.aci', '--signature', ''], [':files']],
    ['arguments of an app', ['run', 'x', '--', '--he'], [':files']],
    ['the next image', ['run', 'x', '--', 'y', '---', '127'], ['127.0.0.1:5000/app:1', ':files']],
    ['a flag of the next image', ['run', 'x', '--', 'y', '---', '--worki'], ['--working-dir=']],
    ['a command that is none', ['nonsense', '--deb'], ['--debug']],
  ])('%s: %j', async (_, words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });

  it('is every command that is shown, and every flag of each', async () => {
    const shown = commands.filter(({ hidden }) => hidden !== true);
    expect(await offered('')).toEqual([...new Set(shown.map(({ name }) => name.split(' ')[0]))]);
    for (const { name, flags } of shown) {
      const words = await offered(...name.split(' '), '--');
      for (const flag of flags) {
        const spelled = flag.kind === 'boolean' ? `--${flag.name}` : `--${flag.name}=`;
        expect(words.includes(spelled), `${name} ${spelled}`).toBe(flag.hidden !== true);
      }
    }
  });

  it('is nothing that means something to a shell', async () => {
    names = ['$(reboot)', 'a;b', 'a b', 'fine', "'", '`x`', 'a\u001b[2J'];
    expect(await offered('image', 'rm', '')).toEqual(['fine']);
  });

  it('is nothing, silently, where the data directory cannot be read or a flag is wrong', async () => {
    expect(await offered('--dir=/etc/passwd', 'image', 'rm', '')).toEqual([]);
    expect(await offered('--insecure-options=x', 'image', 'rm', '')).toEqual([]);
  });
});
