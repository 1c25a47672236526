// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '@rkt/stage1';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeRuntime, fakePod, fakeRuntime } from '../support/fake-runtime.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';

const imageId = `sha512-${'77'.repeat(64)}` as const;
const redis: Pod = fakePod({
  id: '5bc080ca-9e03-480d-b705-5928af396cc5',
  state: 'running',
  pid: 1234,
  createdAt: Date.UTC(2026, 0, 2, 3, 2, 5),
  startedAt: Date.UTC(2026, 0, 2, 3, 3, 24, 250),
  networks: [{ netName: 'default', ifName: 'eth0', ip: '172.16.28.7' }],
  apps: [
    { name: 'redis', imageId, imageName: 'registry-1.docker.io/library/redis', state: 'running' },
    { name: 'etcd', imageId, imageName: 'coreos.com/etcd:v2.0.9', state: 'running' },
  ],
  manifest: {
    acVersion: '0.8.11',
    acKind: 'PodManifest',
    apps: [
      {
        name: 'redis',
        image: {
          name: 'registry-1.docker.io/library/redis',
          id: imageId,
          labels: [{ name: 'version', value: 'latest' }],
        },
        app: { exec: ['redis-server'], user: '0', group: '0' },
        mounts: [{ volume: 'data', path: '/mnt' }],
      },
    ],
    volumes: [{ name: 'data', kind: 'host', source: '/vol', readOnly: true }],
  },
});
const prepared = fakePod({ id: '88c15bd4-191d-466f-a3e4-a57bc7356264', state: 'prepared' });
const exited = fakePod({
  id: 'fb6daaa5-1693-4bd1-9007-759df0f8e096',
  state: 'exited',
  startedAt: Date.UTC(2026, 0, 2, 3, 1, 6),
  apps: [{ name: 'busybox', imageId, imageName: 'busybox', state: 'exited', exitCode: 7, finishedAt: 5 }],
});

let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;
beforeEach(() => {
  process.env['TZ'] = 'UTC';
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-pods-'));
  mkdirSync(join(dir, 'data'));
  runtime = fakeRuntime();
  for (const pod of [redis, prepared, exited]) runtime.pods.set(pod.id, pod);
  rkt = rktWith(dir, { openRuntime: async () => runtime });
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('list', () => {
  it('has a line per app, in columns of tabs, the newest pod last', async () => {
    expect(await rkt('list')).toEqual({
      status: 0,
      stderr: '',
      stdout:
        'UUID\t\tAPP\tIMAGE NAME\t\tSTATE\t\tCREATED\t\tSTARTED\t\tNETWORKS\n' +
        '88c15bd4\t-\t-\t\t\tprepared\t3 minutes ago\t\t\t\n' +
        'fb6daaa5\tbusybox\tbusybox\t\t\texited\t\t3 minutes ago\t2 minutes ago\t\n' +
        '5bc080ca\tredis\tredis:latest\t\trunning\t\t2 minutes ago\t40 seconds ago\tdefault:ip4=172.16.28.7\n' +
        '\t\tetcd\tcoreos.com/etcd:v2.0.9\t\t\t\t\t\t\t\n',
    });
  });

  it('--full has whole UUIDs, image IDs and moments; --no-legend no header', async () => {
    const { stdout } = await rkt('list', '--full', '--no-legend');
    expect(stdout.split('\n')[2]).toBe(
      '5bc080ca-9e03-480d-b705-5928af396cc5\tredis\tdocker.io/library/redis:latest\tsha512-777777777777\trunning\t\t' +
        '2026-01-02 03:02:05 +0000 UTC\t2026-01-02 03:03:24.25 +0000 UTC\tdefault:ip4=172.16.28.7',
    );
  });

  it('--format=json has the fields and units of the original', async () => {
    const pods = JSON.parse((await rkt('list', '--format=json')).stdout);
    expect(pods.at(-1)).toEqual({
      name: redis.id,
      state: 'running',
      networks: [{ netName: 'default', ifName: 'eth0', ip: '172.16.28.7' }],
      app_names: ['redis', 'etcd'],
      apps: [
        {
          name: 'redis',
          state: 'running',
          image_id: imageId,
          image_name: 'docker.io/library/redis:latest',
          mounts: [{ name: 'data', container_path: '/mnt', host_path: '/vol', read_only: true }],
        },
        { name: 'etcd', state: 'running', image_id: imageId, image_name: 'coreos.com/etcd:v2.0.9' },
      ],
      created_at: 1_767_322_925,
      started_at: 1_767_323_004,
    });
  });

  it('of nothing is the header, or an empty JSON list', async () => {
    runtime.pods.clear();
    expect((await rkt('list')).stdout).toBe('UUID\tAPP\tIMAGE NAME\tSTATE\tCREATED\tSTARTED\tNETWORKS\n');
    expect((await rkt('list', '--format=json')).stdout).toBe('[]\n');
  });
});

describe('status', () => {
  it.each([
    [
      '5bc0',
      'state=running\ncreated=2026-01-02 03:02:05 +0000 UTC\nstarted=2026-01-02 03:03:24.25 +0000 UTC\n' +
        'networks=default:ip4=172.16.28.7\npid=1234\nexited=false\n' +
        'app-redis-image=docker.io/library/redis:latest\napp-etcd-image=coreos.com/etcd:v2.0.9\n',
    ],
    ['88c1', 'state=prepared\ncreated=2026-01-02 03:01:05 +0000 UTC\n'],
    [
      'fb6daaa5-1693-4bd1-9007-759df0f8e096',
      'state=exited\ncreated=2026-01-02 03:01:05 +0000 UTC\nstarted=2026-01-02 03:01:06 +0000 UTC\n' +
        'networks=\nexited=true\napp-busybox=7\napp-busybox-image=busybox\n',
    ],
  ])('of %s', async (prefix, stdout) => {
    expect(await rkt('status', prefix)).toEqual({ status: 0, stdout, stderr: '' });
  });

  it.each([
    ['that was never started', { state: 'created', createdAt: 1 }, 254],
    ['that was never added', { state: 'unknown' }, 254],
    ['that could not be executed after all', { state: 'exited', startedAt: 1, finishedAt: 2 }, 254],
    ['that nobody saw end', { state: 'exited', startedAt: 1 }, undefined],
  ] as const)('of a pod with an app %s', async (_, app, exit) => {
    runtime.pods.set(exited.id, { ...exited, apps: [{ name: 'a', imageId, ...app }] });
    const { stdout } = await rkt('status', exited.id);
    expect(stdout.split('\n').filter((line) => line.startsWith('app-a='))).toEqual(exit ? [`app-a=${exit}`] : []);
    const [json] = JSON.parse((await rkt('status', '--format=json', exited.id)).stdout).apps;
    expect([json.state, json.exit_code]).toEqual(['exited', exit]);
  });

  it('has the status of an app that has ended while others run', async () => {
    const apps = redis.apps.map((app) =>
      app.name === 'etcd' ? { ...app, state: 'exited' as const, exitCode: 0 } : app,
    );
    runtime.pods.set(redis.id, { ...redis, apps });
    expect((await rkt('status', redis.id)).stdout).toMatch(/^pid=1234\nexited=false\napp-etcd=0\n/m);
    const [first, second] = JSON.parse((await rkt('status', '--format=json', redis.id)).stdout).apps;
    expect([first.exit_code, second.exit_code, second.state]).toEqual([undefined, 0, 'exited']);
  });

  it('says of an app how often it was started again, and that memory ran out', async () => {
    const [app] = exited.apps;
    if (app === undefined) throw new Error('the pod has an app');
    runtime.pods.set(exited.id, { ...exited, apps: [{ ...app, restarts: 3, outOfMemory: true }] });
    const { stdout } = await rkt('status', exited.id);
    expect(stdout).toMatch(
      /^app-busybox=7\napp-busybox-oom=true\napp-busybox-restarts=3\napp-busybox-image=busybox\n/m,
    );
    const [json] = JSON.parse((await rkt('status', '--format=json', exited.id)).stdout).apps;
    expect(json).toMatchObject({ restarts: 3, oom_killed: true, image_name: 'busybox' });
  });

  it('of a pod that nobody watches any more is that of one that runs', async () => {
    runtime.pods.set(redis.id, { ...redis, state: 'orphaned' });
    expect((await rkt('status', redis.id)).stdout).toMatch(/^state=orphaned\n[\s\S]*\npid=1234\nexited=false\n/);
  });

  it('takes the UUID from a file', async () => {
    const file = join(dir, 'uuid');
    writeFileSync(file, `${exited.id}\n`);
    expect((await rkt('status', `--uuid-file=${file}`)).stdout).toContain('state=exited');
    expect((await rkt('status', `--uuid-file=${file}.none`)).stderr).toContain('no such file or directory');
  });

  it('--wait waits for the end of the pod, --wait-ready for the start of its apps', async () => {
    const waiting = rkt('status', '--wait', redis.id);
    const starting = rkt('status', '--wait-ready=true', redis.id);
    await new Promise((resolve) => setTimeout(resolve, 120));
    const started = redis.apps.map((app) => ({ ...app, startedAt: 1 }));
    runtime.pods.set(redis.id, { ...redis, apps: started });
    expect((await starting).stdout).toContain('state=running\n');
    runtime.pods.set(redis.id, { ...redis, state: 'exited', apps: started.map((app) => ({ ...app, exitCode: 3 })) });
    expect(await waiting).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^state=exited\n(.*\n)*app-redis=3\n/),
    });
    expect((await rkt('status', '--wait', '--wait-ready', redis.id)).status).toBe(0);
  });

  it.each([
    [['--wait=60ms', redis.id], `pod "${redis.id}" is not exited after 0.06s: its state is "running"`],
    [['--wait-ready=0s', prepared.id], `pod "${prepared.id}" is not ready after 0s: its state is "prepared"`],
    [['--wait-ready', exited.id], `pod "${exited.id}" ended before it was ready`],
    [['--wait=soon', exited.id], 'invalid argument "soon" for --wait=soon: it must be a duration'],
  ])('%j fails', async (argv, message) => {
    const { status, stdout, stderr } = await rkt('status', ...argv);
    expect([status, stdout]).toEqual([254, '']);
    expect(stderr).toContain(`status: ${message}`);
  });

  it('--wait=false waits for nothing, and an interrupt ends the waiting', async () => {
    expect((await rkt('status', '--wait=false', redis.id)).stdout).toContain('state=running\n');
    const io = fakeIo();
    const waiting = rkt.within(io, 'status', '--wait', redis.id);
    await vi.waitFor(() => expect(io.send('SIGINT')).toBe(true));
    expect(await waiting).toMatchObject({ status: 130, stderr: expect.stringContaining('interrupted by SIGINT') });
  });

  it.each(['status', 'stop', 'enter', 'rm', 'cat-manifest', 'run-prepared'])(
    '%s of an unknown pod says so',
    async (verb) => {
      const result = await rkt(verb, 'deadbeef');
      expect(result).toMatchObject({ status: 254, stdout: '' });
      expect(result.stderr).toMatch(
        new RegExp(`^${verb}: no pod has an id that begins with "deadbeef", nor an app of that name\nhint: `),
      );
    },
  );

  it('without a pod says what to do', async () => {
    expect(await rkt('status')).toMatchObject({
      status: 254,
      stderr: "status: must provide a pod UUID\nhint: run 'rkt list' to see the pods\n",
    });
  });
});

describe('stop', () => {
  it('stops what runs and says what does not', async () => {
    expect(await rkt('stop', '5bc0', 'fb6d')).toEqual({
      status: 0,
      stdout: `"${redis.id}"\npod "${exited.id}" is already stopped\n`,
      stderr: '',
    });
    expect(runtime.calls).toEqual(['stopSandbox']);
  });

  it('takes what ends and is removed at the same moment for stopped, and no other failure', async () => {
    const error = Object.assign(new Error('gone'), { code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
    runtime.failing = { name: 'stopSandbox', error };
    expect(await rkt('stop', redis.id)).toEqual({ status: 0, stdout: `"${redis.id}"\n`, stderr: '' });
    runtime.failing = { name: 'stopSandbox', error: new Error('no') };
    expect(await rkt('stop', redis.id)).toMatchObject({ status: 254, stdout: '' });
  });

  it('says after a second that it waits', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const stopped = Promise.withResolvers<void>();
      const stopSandbox = (): Promise<void> => stopped.promise;
      const io = fakeIo();
      const stopping = rktWith(dir, { openRuntime: async () => ({ ...runtime, stopSandbox }) }).within(
        io,
        'stop',
        '5bc0',
      );
      while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(999);
      expect(io.written.stderr).toBe('');
      await vi.advanceTimersByTimeAsync(1);
      expect(io.written.stderr).toMatch(/^stop: waiting for pod "5bc080ca-.*" to end \(it is killed after 10s\)\n$/);
      stopped.resolve();
      expect((await stopping).status).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('goes on after a pod that cannot be stopped, and fails in the end', async () => {
    const { status, stdout, stderr } = await rkt('stop', 'dead', '88c1', '5bc0');
    expect([status, stdout]).toEqual([254, `"${redis.id}"\n`]);
    expect(stderr).toContain(`stop: pod "${prepared.id}" is not running: its state is "prepared"\n`);
    expect(stderr).toContain('stop: failed to stop 2 pod(s)\n');
  });
});

describe('rm', () => {
  it('takes the UUID from a file, and not also as an argument', async () => {
    const file = join(dir, 'uuid');
    writeFileSync(file, `${exited.id}\n`);
    expect(await rkt('rm', `--uuid-file=${file}`, redis.id)).toMatchObject({
      status: 254,
      stderr: 'rm: give either a pod UUID or --uuid-file\n',
    });
    expect(await rkt('rm', `--uuid-file=${file}`)).toMatchObject({ status: 0, stdout: `"${exited.id}"\n` });
    expect([...runtime.pods.keys()]).toEqual([redis.id, prepared.id]);
  });

  it('removes pods, and says which could not be', async () => {
    const { status, stdout, stderr } = await rkt('rm', 'fb6d', 'nope');
    expect([status, stdout]).toEqual([254, `"${exited.id}"\n`]);
    expect(stderr).toContain('rm: failed to remove one or more pods\n');
    expect(runtime.pods.has(exited.id)).toBe(false);
  });
});

describe('gc', () => {
  it.each([
    [[], { graceMs: 1_800_000, expirePreparedMs: 86_400_000, markOnly: false }],
    [
      ['--grace-period=1m', '--expire-prepared=0s', '--mark-only'],
      { graceMs: 60_000, expirePreparedMs: 0, markOnly: true },
    ],
  ])('%j means %j', async (argv, options) => {
    expect((await rkt('gc', ...argv)).status).toBe(0);
    expect(runtime.gcOptions).toMatchObject(options);
  });

  it('tells what was moved, removed and kept, and fails if something could not be removed', async () => {
    runtime.gcEvents = [
      { kind: 'marked', id: 'a', to: 'exited-garbage' },
      { kind: 'removed', id: 'b' },
      { kind: 'kept', id: 'c', reason: 'grace-period' },
      { kind: 'kept', id: 'd', reason: 'running' },
    ];
    expect(await rkt('gc')).toEqual({
      status: 0,
      stdout: 'Garbage collecting pod "b"\n',
      stderr: 'gc: moving pod "a" to garbage\ngc: pod "c" not removed: still within grace period (30m0s)\n',
    });
    const error = Object.assign(new Error('still mounted'), { code: 'ERR_RKT_STAGE1_CLEANUP_FAILED' });
    runtime.gcEvents = [{ kind: 'failed', id: 'e', error }];
    expect(await rkt('gc')).toMatchObject({
      status: 254,
      stderr: 'gc: still mounted\ngc: failed to remove 1 pod(s)\n',
    });
  });
});

describe('enter', () => {
  it('passes command and status through', async () => {
    expect((await rkt('enter', '5bc0', 'redis-cli', '-p', '1')).status).toBe(3);
    expect(runtime.calls).toEqual(['enter redis-cli -p 1']);
    await rkt('enter', '5bc0', '--', 'redis-cli', '--', '-p');
    expect(runtime.calls.at(-1)).toBe('enter redis-cli -- -p');
  });
});

describe('cat-manifest', () => {
  it('prints the manifest indented, or on one line', async () => {
    expect((await rkt('cat-manifest', '5bc0')).stdout).toBe(`${JSON.stringify(redis.manifest, undefined, '\t')}\n`);
    expect((await rkt('cat-manifest', '5bc0', '--pretty-print=false')).stdout).toBe(
      `${JSON.stringify(redis.manifest)}\n`,
    );
    expect((await rkt('cat-manifest', '88c1')).stderr).toContain('has no manifest');
  });
});

describe('an unprivileged user', () => {
  it.each(['run', 'prepare', 'run-prepared', 'enter', 'gc', 'rm', 'stop'])('cannot %s', async (verb) => {
    const unprivileged = rktWith(dir, { openRuntime: async () => runtime }, { uid: 1000 });
    const { status, stderr } = await unprivileged(verb, ...(verb === 'gc' ? [] : ['x']));
    expect([status, stderr.split('\n')[0]]).toEqual([254, `${verb}: cannot run as unprivileged user`]);
  });

  it.each([
    [1000, 'list: cannot run as unprivileged user: permission denied: "/d/pods"\nhint: run the command as root\n'],
    [0, 'list: EACCES: permission denied\n'],
  ])('with ID %i is told why what root alone may read cannot be listed', async (uid, message) => {
    const error = Object.assign(new Error('EACCES: permission denied'), {
      code: 'EACCES',
      syscall: 'scandir',
      path: '/d/pods',
    });
    const unreadable = { ...runtime, list: () => Promise.reject(error) };
    const { status, stderr } = await rktWith(dir, { openRuntime: async () => unreadable }, { uid })('list');
    expect([status, stderr]).toEqual([254, message]);
  });

  it('can list', async () => {
    expect((await rktWith(dir, { openRuntime: async () => runtime }, { uid: 1000 })('list')).status).toBe(0);
  });
});
