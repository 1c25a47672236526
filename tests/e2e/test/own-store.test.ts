// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Entry, file, writeLayout, writeTar } from '@rkt/tooling-images';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { executable, type Finished } from '../src/rkt.ts';

const USER = 54_321;
/** All that rkt or the kernel keeps to root. */
const ROOTS: readonly Entry[] = [
  file('bin/su', 'su\n', 0o4755),
  { header: { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666 }, body: undefined },
  { header: { name: 'closed', type: 'directory', mode: 0o010 }, body: undefined },
  file('closed/file', 'closed\n', 0o400),
];

let dir: string;
let program: string;

// What belongs to others may be no way to the repository.
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-own-store-'));
  chmodSync(dir, 0o755);
  program = join(dir, 'rkt');
  copyFileSync(executable, program);
  writeLayout(join(dir, 'layout'), { layers: [{ tar: await writeTar(ROOTS), comment: '' }], config: {} });
  for (const [name, owner] of [
    ['home', USER],
    ['other', USER + 1],
  ] as const) {
    mkdirSync(join(dir, name), { mode: 0o700 });
    chownSync(join(dir, name), owner, owner);
  }
});
afterAll(() => rmSync(dir, { recursive: true }));

function rktAs(user: number, dataDir: string, ...args: readonly string[]): Finished {
  const identity = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
  const globals = [`--dir=${join(dir, dataDir)}`, '--local-config=', '--system-config=', '--insecure-options=image'];
  const { status, stdout, stderr } = spawnSync('setpriv', [...identity, program, ...globals, ...args], {
    encoding: 'utf8',
    cwd: dir,
    env: { HOME: join(dir, 'home'), PATH: '/usr/bin:/bin' },
  });
  return { status: status ?? -1, stdout, stderr };
}

function asUser(...args: readonly string[]): Finished {
  return rktAs(USER, 'home/store', ...args);
}

it('whoever is not root has a store that is all his own, from fetch to collection', () => {
  const id = asUser('fetch', '--full', '--quiet', `oci:${join(dir, 'layout')}`).stdout.trim();
  expect(id).toMatch(/^sha512-[0-9a-f]{128}$/);
  expect(asUser('image', 'list', '--fields=id', '--full', '--no-legend').stdout.trim()).toBe(id);
  expect(asUser('image', 'verify')).toMatchObject({ status: 0, stderr: '' });
  expect(asUser('image', 'export', id, join(dir, 'home/exported.aci'))).toMatchObject({ status: 0, stderr: '' });
  for (const command of ['extract', 'render']) {
    const out = join(dir, 'home', command);
    const { status, stderr } = asUser('image', command, '--rootfs-only', id, out);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^\w+: warning: .* devices .* left out\n$/)]);
    expect(readdirSync(out, { recursive: true }).toSorted()).toEqual(['bin', 'bin/su', 'closed', 'closed/file', 'dev']);
    expect(lstatSync(join(out, 'closed')).mode & 0o777).toBe(0o710);
  }
  expect(asUser('image', 'gc', '--grace-period=0s')).toMatchObject({ status: 0 });
  expect(asUser('image', 'list', '--no-legend').stdout).toBe('');
  expect(asUser('fetch', '--full', '--quiet', `oci:${join(dir, 'layout')}`).stdout.trim()).toBe(id);
  expect(asUser('image', 'rm', id)).toMatchObject({ status: 0 });
  expect(
    readdirSync(join(dir, 'home/store/cas/layers/sha256'), { recursive: true }).filter((name) => /\./.test(`${name}`)),
  ).toEqual([]);
  for (const entry of readdirSync(join(dir, 'home'), { recursive: true, withFileTypes: true })) {
    expect(lstatSync(join(entry.parentPath, entry.name))).toMatchObject({ uid: USER, gid: USER });
  }
});

it('nobody changes the store of another user, root least of all', () => {
  expect(rktAs(USER + 1, 'other/store', 'image', 'gc').status).toBe(0);
  const layout = `oci:${join(dir, 'layout')}`;
  const mine = rktAs(USER + 1, 'other/store', 'fetch', layout);
  expect(mine.status).toBe(0);
  const before = readdirSync(join(dir, 'other/store'), { recursive: true });
  for (const args of [
    ['fetch', layout],
    ['image', 'gc'],
    ['image', 'rm', '--all'],
    ['image', 'list'],
  ]) {
    const { status, stderr } = rktAs(USER, 'other/store', ...args);
    expect([status, stderr], stderr).toEqual([254, expect.stringContaining('permission denied')]);
  }
  for (const args of [
    ['fetch', layout],
    ['image', 'gc'],
    ['image', 'list'],
  ]) {
    const { status, stderr } = rktAs(0, 'other/store', ...args);
    const told = expect.stringContaining(`belongs to the user with the ID ${USER + 1}: use the store as that user`);
    expect([status, stderr], stderr).toEqual([254, told]);
  }
  expect(readdirSync(join(dir, 'other/store'), { recursive: true })).toEqual(before);
});
