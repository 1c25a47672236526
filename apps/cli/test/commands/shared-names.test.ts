// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import type { TestRegistry } from '@rkt/registry/testing';
import type { Pod, PodApp } from '@rkt/stage1';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoRegistry, demoRkt } from '../support/demo-rkt.ts';
import { type FakeRuntime, fakePod } from '../support/fake-runtime.ts';
import type { Rkt } from '../support/run-rkt.ts';

const insecure = '--insecure-options=image';
const [old = '', recent = ''] = ['5bc080ca', '88c15bd4'].map((head) => `${head}-9e03-480d-b705-5928af396cc5`);
let registry: TestRegistry;
let image: string;
let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;

beforeAll(async () => {
  ({ registry, image } = await demoRegistry({ Entrypoint: ['/entry'] }));
});
afterAll(() => registry.close());
beforeEach(() => {
  ({ dir, runtime, rkt } = demoRkt());
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(id: string, state: Pod['state'], ...names: readonly string[]): void {
  const apps = names.map((name): PodApp => ({ name, imageId: 'sha512-0', state: 'running', startedAt: 1 }));
  const manifest = { acVersion: '0.8.11', acKind: 'PodManifest', apps: [] } as const;
  runtime.pods.set(id, fakePod({ id, state, apps, manifest, createdAt: runtime.pods.size }));
}

/** What is said of names, and before it whether the command came through. */
async function said(...argv: readonly string[]): Promise<readonly unknown[]> {
  const { status, stderr } = await rkt(insecure, ...argv);
  return [status, ...stderr.split('\n').filter((line) => / an app | apps /.test(line))];
}

function warning(command: string, have: string): string {
  return `${command}: warning: ${advice(have)}`;
}

function advice(have: string): string {
  return `pod ${have} already: from now on the name alone is ambiguous, and commands may need the UUID`;
}

describe('--name of an app that another pod has', () => {
  it.each([
    ['prepare', 'running'],
    ['prepare', 'prepared'],
    ['prepare', 'orphaned'],
    ['run', 'running'],
  ] as const)('is no hindrance to %s, and said before anything is fetched (%s)', async (verb, state) => {
    put(old, state, 'db', 'web');
    runtime.exit(0);
    const { status, stderr } = await rkt(insecure, verb, ...(verb === 'run' ? ['--detach'] : []), '--name=web', image);
    const lines = stderr.split('\n');
    const told = lines.indexOf(warning(verb, `${old} (${state}) has an app "web"`));
    expect([status, told >= 0, told < lines.indexOf(`rkt: fetching image from ${image}`)]).toEqual([0, true, true]);
    expect(runtime.prepared[0]?.manifest.apps[0]?.name).toBe('web');
  });

  it('is said in one line, of however many pods and names', async () => {
    put(old, 'running', 'web', 'db');
    put(recent, 'prepared', 'web');
    const pair = ['prepare', image, '--name=web', image, '--name=db'];
    expect(await said(...pair)).toEqual([
      0,
      warning('prepare', `${recent} (prepared) and 1 more have apps "web", "db"`),
    ]);
  });

  it('is said with --quiet, as every warning, and as a warning to programs', async () => {
    put(old, 'running', 'web');
    const expected = advice(`${old} (running) has an app "web"`);
    const quiet = await rkt(insecure, 'prepare', '--quiet', '--name=web', image);
    expect(quiet.stderr).toBe(`prepare: warning: ${expected}\n`);
    runtime.pods.delete(quiet.stdout.trim());
    const { stderr } = await rkt(insecure, 'prepare', '--progress=json', '--name=web', image);
    const told = stderr.split('\n').filter((line) => line.includes('ambiguous'));
    expect(told.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'message', level: 'warning', message: expected },
    ]);
  });

  it('is nothing to be said where that is over, or not yet there', async () => {
    const silent = ['preparing', 'aborted prepare', 'exited', 'exited garbage', 'exited deleting', 'garbage'] as const;
    for (const [index, state] of silent.entries()) put(`${index}${old.slice(1)}`, state, 'web');
    expect(await said('prepare', '--name=web', image)).toEqual([0]);
  });

  it('is said of names that were given alone: what an image is called many pods are', async () => {
    put(old, 'running', 'demo', 'other');
    expect(await said('prepare', image)).toEqual([0]);
    expect(await said('prepare', '--name=web', image)).toEqual([0]);
    expect(await said('prepare', '--name=demo', image)).toEqual([0, expect.stringContaining('has an app "demo"')]);
  });

  it('is not known where pods cannot be listed, which is no failure', async () => {
    put(old, 'running', 'web');
    runtime.failing = { name: 'list', error: new Error('no disk') };
    expect(await said('prepare', '--name=web', image)).toEqual([0]);
    expect((await rkt(insecure, '--debug', 'prepare', '--name=web', image)).stderr).toContain(
      'prepare: cannot tell whether other pods have apps of the same name: no disk\n',
    );
  });

  it('is said by app add of pods but its own', async () => {
    put(recent, 'running', 'web');
    expect(await said('app', 'add', recent, image, '--name=web')).toEqual([0]);
    put(old, 'running', 'web');
    expect(await said('app', 'add', recent, image, '--name=web')).toEqual([
      0,
      warning('add', `${old} (running) has an app "web"`),
    ]);
  });
});
