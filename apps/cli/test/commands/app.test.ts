// SPDX-License-Identifier: Apache-2.0
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestRegistry } from '@rkt/registry/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { demoRegistry, demoRkt } from '../support/demo-rkt.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeRuntime, fakePod } from '../support/fake-runtime.ts';
import type { Rkt } from '../support/run-rkt.ts';

const insecure = '--insecure-options=image';
const imageId = `sha512-${'77'.repeat(64)}`;
let registry: TestRegistry;
let image: string;
let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;
/** The pod apps are added to. */
let id: string;

beforeAll(async () => {
  ({ registry, image } = await demoRegistry({ Entrypoint: ['/entry'], Cmd: ['serve'] }));
});
afterAll(() => registry.close());

beforeEach(() => {
  process.env['TZ'] = 'UTC';
  ({ dir, runtime, rkt } = demoRkt());
  const pod = fakePod({
    dir: join(dir, 'data/pods/run/11111111-2222-4333-8444-555555555555'),
    manifest: {
      acVersion: '0.8.11',
      acKind: 'PodManifest',
      apps: [],
      volumes: [{ name: 'there', kind: 'empty' }],
    },
  });
  id = pod.id;
  runtime.pods.set(id, pod);
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('app sandbox', () => {
  it('makes a pod without apps and keeps it until a signal', async () => {
    const io = fakeIo();
    const flags = ['--net=host', '--hostname=box', '--user-label=a=b', `--uuid-file-save=${dir}/uuid`];
    const running = rkt.within(io, 'app', 'sandbox', ...flags);
    await vi.waitFor(() => expect(io.written.stdout).toBe(`${id}\n`), 5_000);
    expect(readFileSync(join(dir, 'uuid'), 'utf8')).toBe(id);
    expect(runtime.calls).toEqual(['prepare', 'createSandbox', 'waitSandbox']);
    expect(runtime.prepared[0]).toMatchObject({
      mutable: true,
      manifest: { apps: [], userLabels: { a: 'b' } },
      sandbox: { networks: [{ name: 'host' }], hostname: 'box' },
    });
    io.send('SIGTERM');
    expect((await running).status).toBe(0);
    expect(runtime.calls.at(-1)).toBe('stopSandbox');
  });

  it('ends when another process stops the pod', async () => {
    const running = rkt('app', 'sandbox', '--port=8080-tcp:80');
    runtime.sandboxEnd.resolve();
    expect(await running).toMatchObject({ status: 0, stderr: '' });
    expect(runtime.calls).toEqual(['prepare', 'createSandbox', 'waitSandbox', 'stopSandbox']);
    expect(runtime.prepared[0]?.manifest.ports).toMatchObject([{ hostPort: 80, podPort: { port: 8080 } }]);
  });

  it('leaves no pod that waits to be run when it fails', async () => {
    expect((await rkt('app', 'sandbox', `--uuid-file-save=${dir}/none/uuid`)).status).toBe(254);
    expect(runtime.calls).toEqual(['prepare', 'remove']);
  });
});

describe('app add', () => {
  it('fetches, defines and adds; the image stays as long as the pod', async () => {
    const { status, stdout, stderr } = await rkt(
      ...[insecure, 'app', 'add', '1111', image, '--name=web', '--user=5'],
      ...['--mount=volume=there,target=/there', '--mnt-volume=name=new,kind=host,source=/srv,target=/new', '--', 'arg'],
    );
    expect([status, stdout]).toEqual([0, 'web\n']);
    expect(stderr).toContain('fetching image');
    expect(runtime.calls).toEqual(['defineApp', 'addApp']);
    const [{ app, rootfs, volumes } = {}] = runtime.defined;
    expect(app).toMatchObject({
      name: 'web',
      app: { exec: ['/entry', 'arg'], user: '5' },
      mounts: [
        { volume: 'there', path: '/there' },
        { volume: 'new', path: '/new' },
      ],
    });
    expect(rootfs).toMatchObject({ type: 'directory' });
    expect(volumes).toEqual([{ name: 'new', kind: 'host', source: '/srv' }]);
  });

  it('takes what docker calls -v and -e, the same volume in one app and the next', async () => {
    const volume = ['-v', '/srv:/data:ro'];
    await rkt(insecure, 'app', 'add', '1111', image, '--name=one', ...volume, '-e', 'A=1');
    await rkt(insecure, 'app', 'add', '-e', 'B=2', '1111', image, '--name=two', ...volume);
    const [one, two] = runtime.defined;
    const named = { name: expect.any(String), kind: 'host', source: '/srv', readOnly: true };
    expect([one?.volumes, two?.volumes]).toEqual([[named], [named]]);
    expect(one?.volumes?.[0]?.name).not.toBe(two?.volumes?.[0]?.name);
    expect([one?.app.app.environment?.at(-1), two?.app.app.environment?.at(-1)]).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ]);
  });

  it.each([
    [['1111'], 'add: must provide a pod UUID and an image'],
    [['1111', 'docker://a', 'docker://b'], 'add: takes at most 2 arguments'],
    [['1111', 'docker://a', '--mnt-volume=name=a,kind=empty'], 'add: invalid argument'],
    [['ffff', 'docker://a'], 'add: no pod has an id that begins with "ffff"'],
    [['1111', 'echo'], 'add: no image "echo" in the store'],
  ])('%j is refused and changes nothing', async (argv, message) => {
    const asked = registry.requests.length;
    const { status, stderr } = await rkt(insecure, 'app', 'add', ...argv);
    expect([status, stderr.slice(0, message.length)]).toEqual([254, message]);
    expect([runtime.calls, registry.requests.length]).toEqual([[], asked]);
  });
});

describe('an app of a pod', () => {
  beforeEach(() => {
    const pod = runtime.pods.get(id) ?? fakePod();
    const apps = [
      { name: 'one', imageId, state: 'exited', createdAt: 1_000, startedAt: 2_000, finishedAt: 3_000, exitCode: 7 },
      { name: 'two', imageId, state: 'running' },
    ] as const;
    runtime.pods.set(id, { ...pod, apps });
  });

  it('is started in the foreground, with its status', async () => {
    const running = rkt('app', 'start', id, '--app=one');
    await vi.waitFor(() => expect(runtime.calls).toEqual(['startApp']), 5_000);
    runtime.exit(9);
    expect(await running).toEqual({ status: 9, stdout: '', stderr: '' });
    expect(runtime.calls).toEqual(['startApp']);
  });

  it('is started below a monitor with --detach, in a sandbox that may be left, too', async () => {
    const start = await rkt('app', 'start', '-d', '--restart=always', '--app=two', id);
    expect(start).toEqual({ status: 0, stdout: 'two\n', stderr: '' });
    const told = ['release', '--restart=always', '--on-app-failure=continue', '--app=two', id];
    expect(runtime.monitor?.onExit?.slice(-5)).toEqual(told);
    expect((await rkt('app', 'start', '--restart=always', '--app=two', id)).status).toBe(254);
    runtime.pods.clear();
    const sandbox = await rkt('app', 'sandbox', '--detach', '--net=none');
    expect([sandbox.status, sandbox.stdout, runtime.keepsSandbox]).toEqual([0, `${id}\n`, true]);
  });

  it('is stopped, removed and entered by name', async () => {
    expect((await rkt('app', 'stop', '--app=two', id)).status).toBe(0);
    expect((await rkt('app', 'stop', '--force', '--app=two', id)).status).toBe(0);
    expect(runtime.stopped).toEqual([
      { app: 'two', force: false },
      { app: 'two', force: true },
    ]);
    expect((await rkt('app', 'rm', '--app=one', id)).status).toBe(0);
    expect((await rkt('app', 'exec', '--app=two', id, 'ls', '-l')).status).toBe(3);
    expect(runtime.calls.slice(-2)).toEqual(['removeApp', 'enter ls -l']);
  });

  it('is listed and shown', async () => {
    expect((await rkt('app', 'list', id)).stdout).toBe('NAME\tSTATE\none\texited\ntwo\trunning\n');
    expect((await rkt('app', 'list', '--no-legend', id)).stdout).toBe('one\texited\ntwo\trunning\n');
    expect(JSON.parse((await rkt('app', 'list', '--format=json', id)).stdout)).toMatchObject([
      { name: 'one', exit_code: 7 },
      { name: 'two', state: 'running' },
    ]);
    expect((await rkt('app', 'status', '--app=one', id)).stdout).toBe(
      `name=one\nstate=exited\nimage_id=${imageId}\nimage=-\ncreated_at=1970-01-01 00:00:01 +0000 UTC\n` +
        'started_at=1970-01-01 00:00:02 +0000 UTC\nfinished_at=1970-01-01 00:00:03 +0000 UTC\nexit_code=7\n',
    );
    expect(JSON.parse((await rkt('app', 'status', '--app=two', '--format=json', id)).stdout)).toMatchObject({
      name: 'two',
    });
  });

  it.each(['rm', 'start', 'status', 'stop'])('%s needs to know which one', async (verb) => {
    expect(await rkt('app', verb, id)).toMatchObject({
      status: 254,
      stderr: `${verb}: pod ${id} contains multiple apps: one, two\nhint: name the app with --app\n`,
    });
    expect((await rkt('app', verb, '--app=x', id)).stderr).toBe(`${verb}: pod ${id} has no app "x": it has one, two\n`);
    expect(runtime.calls).toEqual([]);
  });
});
