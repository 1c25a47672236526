// SPDX-License-Identifier: Apache-2.0
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { demoRkt } from '../support/demo-rkt.ts';
import { fakeIo } from '../support/fake-io.ts';
import type { FakeRuntime } from '../support/fake-runtime.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';
import { layerOf } from '../support/tar.ts';

const insecure = '--insecure-options=image';
let registry: TestRegistry;
let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;

beforeAll(async () => {
  registry = await startTestRegistry();
  for (const name of ['web', 'db']) {
    const config = { Entrypoint: [`/${name}`], Cmd: ['serve'], User: '7', StopSignal: 'SIGQUIT' };
    await registry.putImage({ repository: name, tag: 'latest' }, { layers: [layerOf(name, 'x')], config });
  }
});
afterAll(() => registry.close());

beforeEach(() => {
  ({ dir, runtime, rkt } = demoRkt());
});
afterEach(() => rmSync(dir, { recursive: true }));

function image(name: string): string {
  return `docker://${registry.domain}/${name}`;
}

/** Lets a run go on until that many apps were started. */
async function started(count: number): Promise<void> {
  await vi.waitFor(() => expect(runtime.calls.filter((call) => call === 'startApp')).toHaveLength(count), {
    timeout: 10_000,
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
}

const both = (): readonly string[] => [insecure, 'run', image('web'), '--', 'a', '---', image('db')];

describe('run of several images', () => {
  it('makes one pod, adds all apps and then starts them in their order; 0 when all ended well', async () => {
    const running = rkt(...both());
    await started(2);
    runtime.exit(0, 'web');
    runtime.exit(0, 'db');
    expect(await running).toMatchObject({ status: 0, stdout: '' });
    expect(runtime.calls).toEqual([
      ...['prepare', 'createSandbox', 'addApp', 'addApp', 'startApp', 'startApp', 'stopSandbox'],
    ]);
    const { manifest, rootfs } = runtime.prepared[0] ?? {};
    expect(manifest?.apps.map(({ name, app }) => [name, app.exec])).toEqual([
      ['web', ['/web', 'a']],
      ['db', ['/db', 'serve']],
    ]);
    expect(Object.keys(rootfs ?? {})).toEqual(['web', 'db']);
    expect(runtime.stopped).toEqual([]);
  });

  it('keeps the images of all apps while the pod is there', async () => {
    const running = rkt(...both());
    await started(2);
    runtime.exit(0);
    await running;
    for (const { image: used } of runtime.prepared[0]?.manifest.apps ?? []) {
      expect((await rkt('image', 'rm', used.id)).stderr).toContain('is in use by');
    }
  });

  it('stops the others when one fails, and ends with its status', async () => {
    const running = rkt(...both());
    await started(2);
    runtime.exit(3, 'db');
    const { status, stderr } = await running;
    expect([status, runtime.stopped]).toEqual([3, [{ app: 'web', force: false }]]);
    expect(stderr).toContain('run: app "db" ended with status 3, stopping the others\n');
  });

  it('says of which app memory ran out', async () => {
    const running = rkt(...both());
    await started(2);
    runtime.starved.push('db');
    runtime.exit(137, 'db');
    const { status, stderr } = await running;
    expect(status).toBe(137);
    expect(stderr).toContain('run: app "db" ran out of memory: the kernel killed it, or a process of it\n');
    expect(stderr).not.toContain('"web" ran out');
  });

  it('goes on when an app ends well', async () => {
    const running = rkt(...both());
    await started(2);
    runtime.exit(0, 'web');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(runtime.stopped).toEqual([]);
    runtime.exit(4, 'db');
    const { status, stderr } = await running;
    expect([status, runtime.stopped]).toEqual([4, []]);
    expect(stderr).not.toContain('stopping');
  });

  it('goes on after a failure with --on-app-failure=continue; the first failure is the status', async () => {
    const running = rkt(...both(), '--on-app-failure=continue');
    await started(2);
    runtime.exit(3, 'db');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(runtime.calls).not.toContain('stopSandbox');
    runtime.exit(4, 'web');
    expect((await running).status).toBe(3);
    expect(runtime.stopped).toEqual([]);
  });

  it('passes signals to every app that runs, and none a second time because another ended of it', async () => {
    const io = fakeIo();
    const running = rkt.within(io, ...both());
    await started(2);
    io.send('SIGTERM');
    expect(runtime.signalled).toEqual([
      ['web', 'SIGTERM'],
      ['db', 'SIGTERM'],
    ]);
    runtime.exit(143, 'web');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(runtime.stopped).toEqual([]);
    io.send('SIGTERM');
    expect(runtime.signalled.slice(2)).toEqual([['db', 'SIGTERM']]);
    runtime.exit(0, 'db');
    expect((await running).status).toBe(143);
  });

  it('kills what has not ended after the third signal', async () => {
    const io = fakeIo();
    const running = rkt.within(io, ...both());
    await started(2);
    for (let count = 0; count < 3; count += 1) io.send('SIGINT');
    expect(await running).toMatchObject({
      status: 137,
      stderr: expect.stringContaining('run: the apps did not end, killing them\n'),
    });
    expect(runtime.stopped).toEqual([
      { app: 'web', force: true },
      { app: 'db', force: true },
    ]);
  });

  it('fails and takes all down when one cannot be executed after all', async () => {
    const unexecuted = Object.assign(new Error('exec format error'), { code: 'ERR_RKT_STAGE1_EXEC_FORMAT' });
    const startApp: FakeRuntime['startApp'] = async (id, app, options) => {
      const running = await runtime.startApp(id, app, options);
      return app === 'web' ? { ...running, wait: () => Promise.reject(unexecuted) } : running;
    };
    const run = rktWith(dir, { openRuntime: async () => ({ ...runtime, startApp }) });
    const { status, stderr } = await run('--tree-backend=directory', ...both());
    expect([status, runtime.stopped]).toEqual([254, [{ app: 'db', force: false }]]);
    expect(stderr).toMatch(/run: app "web" could not be executed, stopping the others\nrun: exec format error$/m);
    expect(runtime.calls.at(-1)).toBe('stopSandbox');
  });

  it('says so when an app of the same name is there already, and how to name it', async () => {
    const { status, stderr } = await rkt(insecure, 'run', image('web'), image('web'));
    expect([status, runtime.calls]).toEqual([254, []]);
    expect(stderr).toContain(
      'run: multiple apps with name "web"\nhint: give one of them another name after its image: IMAGE --name=NAME\n',
    );
  });

  it('on a prepared pod does the same, and gives nobody the standard input', async () => {
    const [, , ...images] = both();
    const { stdout } = await rkt(insecure, 'prepare', '--quiet', ...images);
    expect(await rkt('run-prepared', '--interactive', stdout.trim())).toMatchObject({
      status: 254,
      stderr: 'run-prepared: interactive option only supports one image: the pod has 2 apps\n',
    });
    const running = rkt('run-prepared', stdout.trim());
    await started(2);
    runtime.exit(9, 'web');
    expect((await running).status).toBe(9);
  });
});

describe('a pod manifest', () => {
  const write = (manifest: unknown): string => {
    const file = join(dir, 'pod.json');
    writeFileSync(file, typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
    return `--pod-manifest=${file}`;
  };
  const base = { acVersion: '0.8.11', acKind: 'PodManifest' };
  const fetched = async (name: string): Promise<string> => {
    return (await rkt(insecure, 'fetch', '--full', image(name))).stdout.trim();
  };

  it('makes the pod: images by ID or name, app sections and annotations of the images where it has none', async () => {
    const id = await fetched('web');
    const db: { name: string; labels: { name: string; value: string }[] } = JSON.parse(
      (await rkt('image', 'cat-manifest', await fetched('db'))).stdout,
    );
    const own = { exec: ['/own'], user: '0', group: '0' };
    const flag = write({
      ...base,
      apps: [
        { name: 'a', image: { id: id.slice(0, 20) } },
        {
          name: 'b',
          image: { name: db.name, labels: [...db.labels, { name: 'version', value: 'latest' }] },
          app: own,
          annotations: [{ name: 'mine', value: '1' }],
        },
      ],
      volumes: [{ name: 'v', kind: 'empty' }],
      userLabels: { x: 'y' },
    });
    const asked = registry.requests.length;
    const { status, stdout, stderr } = await rkt('prepare', '--net=none', flag);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(registry.requests).toHaveLength(asked);
    const { manifest, rootfs, sandbox } = runtime.prepared[0] ?? {};
    const [a, b] = manifest?.apps ?? [];
    expect(a).toMatchObject({
      name: 'a',
      image: { id, name: db.name.replace(/db$/, 'web') },
      app: { exec: ['/web', 'serve'] },
    });
    expect(a?.annotations).toContainEqual({ name: 'appc.io/docker/user', value: '7' });
    expect(b).toMatchObject({ name: 'b', image: { name: db.name }, app: own });
    const names = b?.annotations?.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['mine', 'appc.io/docker/stopsignal']));
    expect(names).not.toContain('appc.io/docker/user');
    expect([manifest?.volumes, manifest?.userLabels]).toEqual([[{ name: 'v', kind: 'empty' }], { x: 'y' }]);
    expect(Object.keys(rootfs ?? {})).toEqual(['a', 'b']);
    expect(sandbox?.networks).toEqual([{ name: 'none' }]);
  });

  it('is what cat-manifest prints of a pod made of images', async () => {
    const { stdout } = await rkt(insecure, 'prepare', '--quiet', image('web'), '--', 'other');
    const printed = (await rkt('cat-manifest', stdout.trim())).stdout;
    expect((await rkt('prepare', write(printed))).status).toBe(0);
    expect(runtime.prepared[1]?.manifest).toEqual(runtime.prepared[0]?.manifest);
  });

  it('runs', async () => {
    const id = await fetched('web');
    const running = rkt('run', write({ ...base, apps: [{ name: 'a', image: { id } }] }));
    await started(1);
    runtime.exit(6);
    expect((await running).status).toBe(6);
  });

  it.each([
    ['no JSON', 'it is not JSON'],
    ['[]', 'it is no JSON object'],
    [base, 'it has no apps'],
    [{ ...base, apps: [] }, 'it has no apps'],
    [{ ...base, apps: [1] }, 'an app of it is no JSON object'],
    [{ ...base, apps: [{ name: 'a' }] }, 'app "a" has no image with an id or a name'],
    [{ ...base, apps: [{ name: 'a', image: {} }] }, 'app "a" has no image with an id or a name'],
    [
      { ...base, apps: [{ name: 'a', image: { id: '' } }], isolators: [] },
      'isolators of a whole pod are not supported',
    ],
  ])('%j is refused', async (manifest, reason) => {
    const { status, stderr } = await rkt('run', write(manifest));
    expect([status, runtime.calls]).toEqual([254, []]);
    expect(stderr).toContain(`run: cannot use pod manifest "${dir}/pod.json": ${reason}`);
  });

  it.each([
    [{ name: 'A!' }, 'manifest property "apps[0].name" must be an AC Name'],
    [{ name: 'a', mounts: [{ volume: 'v', path: 'x' }] }, 'manifest property "apps[0].mounts[0].path" must be'],
    [{ name: 'a', annotations: 5 }, 'manifest property "apps[0].annotations" must be'],
    [{ name: 'a', app: { exec: [], user: '0', group: '0' } }, 'app "a" does not say what to execute'],
  ])('with the app %j is refused', async (app, reason) => {
    const id = await fetched('web');
    const { status, stderr } = await rkt('prepare', write({ ...base, apps: [{ image: { id }, ...app }] }));
    expect([status, runtime.calls]).toEqual([254, []]);
    expect(stderr).toContain(reason);
  });

  it('whose image is not in the store says which, and fetches nothing', async () => {
    const web: { name: string } = JSON.parse((await rkt('image', 'cat-manifest', await fetched('web'))).stdout);
    const other = { name: web.name, labels: [{ name: 'arch', value: 'vax' }] };
    const asked = registry.requests.length;
    for (const own of [{ id: `sha512-${'0'.repeat(128)}` }, { name: 'nobody/has-this' }, other]) {
      const { status, stderr } = await rkt(insecure, 'run', write({ ...base, apps: [{ name: 'a', image: own }] }));
      expect(status).toBe(254);
      expect(stderr).toMatch(/^run: image ".*" of app "a" is not in the store: .*\nhint: fetch it first/);
    }
    expect(registry.requests).toHaveLength(asked);
  });

  it.each([
    [['docker://a'], 'an image'],
    [['--exec=/x'], '--exec'],
    [['--mount=volume=a,target=/b'], '--mount'],
    [['--port=80-tcp:8080'], '--port'],
    [['--set-env=A=b'], '--set-env'],
    [['-e', 'A=b'], '-e'],
    [['--pull-policy=new'], '--pull-policy'],
  ])('goes with no %j', async (argv, what) => {
    const { status, stderr } = await rkt('run', write(base), ...argv);
    expect([status, stderr]).toEqual([
      254,
      `run: conflicting flags set with --pod-manifest: ${what}\nhint: put it into the manifest\n`,
    ]);
  });

  it('that cannot be read says so, and one of several apps takes no standard input', async () => {
    expect((await rkt('run', `--pod-manifest=${dir}/none`)).stderr).toBe(
      `run: cannot read pod manifest "${dir}/none": no such file or directory\n`,
    );
    const id = await fetched('web');
    const apps = ['a', 'b'].map((name) => ({ name, image: { id } }));
    expect((await rkt('run', '--interactive', write({ ...base, apps }))).stderr).toContain('only supports one image');
  });
});
