// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod, PodApp } from '@rkt/stage1';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../../src/args/commands.ts';
import { demoRegistry, demoRkt } from '../support/demo-rkt.ts';
import { type FakeRuntime, fakePod } from '../support/fake-runtime.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';

const ids = ['5bc080ca', '88c15bd4', 'fb6daaa5', 'cafe1234'].map((head) => `${head}-9e03-480d-b705-5928af396cc5`);
const [first = '', second = '', third = '', fourth = ''] = ids;

let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;
beforeEach(() => {
  ({ dir, runtime, rkt } = demoRkt());
  mkdirSync(join(dir, 'data'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(id: string, state: Pod['state'], ...names: readonly string[]): void {
  const apps = names.map((name): PodApp => ({ name, imageId: 'sha512-0', state: 'running', startedAt: 1 }));
  const manifest = { acVersion: '0.8.11', acKind: 'PodManifest', apps: [] } as const;
  runtime.pods.set(id, fakePod({ id, state, apps, manifest, startedAt: 1 }));
}

/** The pod that `status` finds. */
async function found(typed: string): Promise<unknown> {
  const { stdout, stderr } = await rkt('status', '--format=json', typed);
  return stderr === '' ? JSON.parse(stdout).name : stderr;
}

describe('a pod', () => {
  it('is meant by the name of an app of it', async () => {
    put(first, 'running', 'web', 'db');
    put(second, 'running', 'cache');
    expect([await found('db'), await found('cache')]).toEqual([first, second]);
  });

  it('that runs is preferred to one that is to be run, and that to one that has ended', async () => {
    put(first, 'exited', 'web');
    put(second, 'garbage', 'old');
    expect(await found('web')).toBe(first);
    put(third, 'prepared', 'web');
    expect(await found('web')).toBe(third);
    put(fourth, 'running', 'web');
    expect([await found('web'), await found('old')]).toEqual([fourth, second]);
  });

  it('that is to be run is the one for run-prepared', async () => {
    put(first, 'running', 'web');
    put(second, 'prepared', 'web');
    const running = rkt('run-prepared', 'web');
    while (!runtime.calls.includes('startApp') && !runtime.calls.includes('createSandbox')) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(runtime.pods.get(first)?.state).toBe('running');
    expect(runtime.pods.get(second)?.state).toBe('running');
    expect((await running).stderr).toContain(second);
  });

  it('is asked for where several are meant alike', async () => {
    put(first, 'running', 'web');
    put(second, 'running', 'web');
    put(third, 'exited', 'web');
    expect(await rkt('stop', 'web')).toEqual({
      status: 254,
      stdout: '',
      stderr: [
        `stop: several pods have an app "web", the newest last: ${first} (running), ${second} (running)`,
        'hint: give the UUID of one, or a beginning of it',
        'stop: failed to stop 1 pod(s)\n',
      ].join('\n'),
    });
    expect(runtime.calls).toEqual([]);
  });

  it('is the one that runs, however many of its name have ended; of those alone none is chosen', async () => {
    put(first, 'exited', 'web');
    put(second, 'exited garbage', 'web');
    put(third, 'running', 'web');
    expect(await found('web')).toBe(third);
    runtime.pods.delete(third);
    expect(await found('web')).toContain(`newest last: ${first} (exited), ${second} (exited garbage)`);
  });

  it.each([
    ['exited', 'running'],
    ['running', 'exited'],
  ] as const)(
    'whose UUID (%s) begins like an app (%s) of another is called is not taken for it',
    async (state, other) => {
      put(first, other, 'cafe');
      put(fourth, state, 'web');
      const ambiguous = `"cafe" begins the UUID of pod ${fourth} and is the name of an app of ${first} (${other})`;
      for (const command of [['stop'], ['rm', '--force'], ['enter'], ['status']]) {
        const { status, stderr } = await rkt(...command, 'cafe');
        expect([status, stderr]).toEqual([254, expect.stringContaining(ambiguous)]);
      }
      expect(runtime.calls).toEqual([]);
      expect([await found('cafe1'), await found(fourth)]).toEqual([fourth, fourth]);
      expect(await found('caf3')).toContain('no pod has an id that begins with "caf3", nor an app of that name');
    },
  );

  it('whose own app is called as its UUID begins is meant, with that app', async () => {
    put(fourth, 'running', 'web', 'cafe');
    await rkt('kill', 'cafe');
    await rkt('kill', '--app=web', 'caf');
    expect(runtime.calls).toEqual(['signalApp cafe', 'signalApp web']);
  });

  it('that is orphaned has apps that run', async () => {
    put(first, 'prepared', 'web');
    put(second, 'orphaned', 'web');
    expect(await found('web')).toBe(second);
    expect((await rkt('logs', 'web')).stderr).toBe('');
  });

  it('that is not there is told, with the name that is near; a whole UUID is no name', async () => {
    put(first, 'running', 'web');
    expect(await found('wbe')).toContain('nor an app of that name (did you mean "web"?)\nhint: run \'rkt list\'');
    for (const command of [['stop'], ['rm', '--force'], ['kill'], ['wait'], ['inspect', '--type=pod']]) {
      const { status, stderr } = await rkt(...command, 'wbe');
      expect([status, stderr]).toEqual([254, expect.stringContaining('(did you mean "web"?)')]);
    }
    expect(await found(second)).toBe(
      `status: no pod has an id that begins with "${second}"\nhint: run 'rkt list' to see the pods\n`,
    );
  });

  it('may be named in a file, too', async () => {
    put(first, 'running', 'web');
    writeFileSync(join(dir, 'uuid'), 'web\n');
    expect((await rkt('status', `--uuid-file=${join(dir, 'uuid')}`)).stdout).toContain('state=running');
  });
});

describe('the app that was named', () => {
  it('is the one that is meant, unless --app says another', async () => {
    put(first, 'running', 'web', 'db');
    runtime.exit(5);
    await rkt('logs', 'db');
    expect(runtime.logOptions?.app).toBe('db');
    await rkt('logs', '--app=web', 'db');
    expect(runtime.logOptions?.app).toBe('web');
    await rkt('kill', 'db');
    await rkt('kill', '5bc0', '--app=web');
    expect(runtime.calls).toEqual(['signalApp db', 'signalApp web']);
    expect(JSON.parse((await rkt('wait', '--format=json', 'db')).stdout)).toEqual([
      { name: first, app: 'db', condition: 'exited', exit_code: 5 },
    ]);
    expect((await rkt('app', 'status', 'db')).stdout).toContain('name=db\n');
    expect((await rkt('app', 'stop', 'db')).status).toBe(0);
    expect(runtime.stopped).toEqual([{ app: 'db', force: false }]);
  });
});

describe('logs and wait', () => {
  it.each([
    ['logs', 'web'],
    ['wait', 'web'],
  ])('%s says which pod it is where that does not run', async (command, name) => {
    runtime.exit(0);
    put(first, 'exited', name);
    expect((await rkt(command, name)).stderr).toBe(`${command}: it is pod "${first}" (exited)\n`);
    expect((await rkt(command, first)).stderr).toBe('');
    put(second, 'running', name);
    expect((await rkt(command, name)).stderr).toBe('');
  });

  it('wait --condition=healthy says it, too', async () => {
    put(first, 'exited', 'web');
    expect((await rkt('wait', '--condition=healthy', 'web')).stderr).toContain(`wait: it is pod "${first}" (exited)\n`);
  });
});

describe('every command that takes a pod', () => {
  const taking = commands.filter(({ usage, hidden }) => /\bPOD\b/.test(usage) && hidden !== true);

  it.each(taking.map(({ name, usage }) => [name, usage] as const))('%s takes names of apps', async (name, usage) => {
    put(first, 'running', 'web');
    put(second, 'running', 'web');
    const further = usage.includes('FILE')
      ? ['x.aci']
      : usage.includes('IMAGE') && !usage.includes('|')
        ? ['docker://x']
        : [];
    const { status, stderr } = await rkt(...name.split(' '), 'web', ...further);
    expect([status, stderr]).toEqual([254, expect.stringContaining('several pods have an app "web"')]);
  });

  it('is every one that says so', () => {
    expect(taking.length).toBeGreaterThan(15);
    expect(commands.filter(({ usage, hidden }) => usage.includes('UUID') && hidden !== true)).toEqual([]);
  });
});

describe('inspect', () => {
  it('shows pods and images, whichever it is, and says what is neither', async () => {
    put(first, 'running', 'web');
    const { status, stdout, stderr } = await rkt('inspect', 'web', 'nosuch');
    expect([status, stderr]).toEqual([
      254,
      'inspect: no pod and no image is called "nosuch"\nhint: run \'rkt image list\' to see what the store has\n',
    ]);
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ name: first, manifest: expect.anything() })]);
    expect((await rkt('inspect', '--type=image', 'web')).stderr).toContain('has no images');
    expect((await rkt('inspect', '--type=pod', 'nosuch')).stderr).toContain('nor an app of that name');
  });
});

describe('inspect of an unprivileged user', () => {
  it("shows images although pods are root's, and says so where there is none of the name", async () => {
    const { registry, image } = await demoRegistry({ Cmd: ['serve'] });
    await rkt('--insecure-options=image', 'fetch', image);
    await registry.close();
    const denied = { code: 'EACCES', syscall: 'scandir', path: '/d/pods' };
    const unreadable = {
      ...runtime,
      resolve: () => Promise.reject(Object.assign(new Error('EACCES: permission denied'), denied)),
    };
    const unprivileged = rktWith(dir, { openRuntime: async () => unreadable }, { uid: 1000 });
    const name = image.replace('docker://', '');
    const { status, stdout, stderr } = await unprivileged('inspect', name);
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ names: [`${name}:latest`] })]);
    for (const argv of [['nosuch'], ['--type=pod', name]]) {
      expect((await unprivileged('inspect', ...argv)).stderr).toContain('permission denied');
    }
  });
});

describe('rm', () => {
  it('takes what has ended first, then what was never run, and fails for what runs', async () => {
    put(first, 'running', 'web');
    put(second, 'prepared', 'web');
    put(third, 'exited', 'web');
    const removed = [await rkt('rm', 'web'), await rkt('rm', 'web')];
    expect(removed.map(({ stdout }) => stdout)).toEqual([`"${third}"\n`, `"${second}"\n`]);
    put(second, 'exited garbage', 'web');
    put(third, 'exited', 'web');
    expect((await rkt('rm', 'web')).stderr).toContain('several pods have an app "web"');
  });
});

describe('rm --force', () => {
  it.each(['exited', 'prepared', 'orphaned'] as const)('takes no name of two pods, one %s', async (state) => {
    put(first, 'running', 'web');
    put(second, state, 'web');
    const { status, stderr } = await rkt('rm', '-f', 'web');
    expect([status, stderr]).toEqual([254, expect.stringContaining(`${first} (running), ${second} (${state})`)]);
    expect(runtime.calls).toEqual([]);
  });

  it('stops what nobody watches any more, too', async () => {
    put(first, 'orphaned', 'web');
    expect((await rkt('rm', '-f', 'web')).stdout).toBe(`"${first}"\n`);
    expect(runtime.calls).toEqual(['stopSandbox', 'remove']);
  });

  it('stops what runs before', async () => {
    put(first, 'running', 'web');
    put(second, 'exited', 'db');
    expect(await rkt('rm', '-f', 'web', 'db')).toEqual({ status: 0, stdout: `"${first}"\n"${second}"\n`, stderr: '' });
    expect(runtime.calls).toEqual(['stopSandbox', 'remove', 'remove']);
  });

  it('takes one that goes by itself then for removed, and no other', async () => {
    put(first, 'running', 'web');
    put(second, 'exited', 'db');
    const error = Object.assign(new Error('gone'), { code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
    runtime.failing = { name: 'remove', error };
    expect(await rkt('rm', '-f', 'web')).toEqual({ status: 0, stdout: `"${first}"\n`, stderr: '' });
    expect(await rkt('rm', '-f', 'db')).toMatchObject({ status: 254, stdout: '' });
    runtime.failing = undefined;
    expect((await rkt('rm', 'web')).status).toBe(0);
    expect(runtime.calls.filter((call) => call === 'stopSandbox')).toHaveLength(1);
  });
});

describe('list', () => {
  it('-q prints UUIDs alone, and -a is as it is in any case', async () => {
    put(first, 'running', 'web');
    put(second, 'exited', 'db');
    expect((await rkt('ps', '-aq')).stdout).toBe(`${first}\n${second}\n`);
  });
});
