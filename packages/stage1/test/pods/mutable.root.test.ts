// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeApp } from '@rkt/appc';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createHost, createRuntime, type Pod, type Runtime, type Syscalls } from '../../src/index.ts';
import { collectAll, createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';

let bench: PodBench;
/** The one that made the sandbox, and one that knows of it what the disk says. */
let owner: Runtime;
let other: Runtime;
let pod: Pod;

beforeAll(async () => {
  bench = createPodBench();
  owner = await bench.runtime();
  other = await bench.runtime();
});
beforeEach(async () => {
  pod = await owner.prepare({
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [] },
    rootfs: {},
    sandbox: { networks: [{ name: 'none' }] },
    mutable: true,
  });
  bench.ids.push(pod.id);
  await owner.createSandbox(pod.id);
});
afterEach(async () => {
  await owner.stopSandbox(pod.id, { force: true });
  expect(footprint(bench.dataDir, bench.ids)).toEqual(none);
});
afterAll(() => bench.remove());

const out = (): { readonly name: string; readonly kind: 'host'; readonly source: string } => {
  return { name: 'out', kind: 'host', source: bench.out };
};

function definition(name: string, script: string) {
  const app: RuntimeApp = {
    name,
    image: { id: 'sha512-0' },
    app: { exec: ['/bin/sh', '-c', script], user: '0', group: '0' },
    mounts: [{ volume: 'out', path: '/out' }],
  };
  return { app, rootfs: { type: 'directory', path: bench.image } as const, volumes: [out()] };
}

async function add(runtime: Runtime, name: string, script: string): Promise<void> {
  await runtime.defineApp(pod.id, definition(name, script));
  await runtime.addApp(pod.id, name);
}

it('lives without apps, and is stopped by another process', async () => {
  expect(await other.inspect(pod.id)).toMatchObject({ state: 'running', apps: [] });
  const ended = owner.waitSandbox(pod.id);
  const stopping = other.stopSandbox(pod.id);
  await ended;
  await owner.stopSandbox(pod.id);
  await stopping;
  expect((await other.inspect(pod.id)).state).toBe('exited');
});

it('takes apps from any process, one after the other, and shows each as it stands', async () => {
  await add(other, 'one', 'echo 1 >/out/one; exit 3');
  await add(owner, 'two', 'trap "exit 4" TERM; touch /out/two; while :; do sleep 0.02; done');
  const one = await other.startApp(pod.id, 'one', { stdio: 'inherit' });
  const two = await other.startApp(pod.id, 'two', { stdio: 'inherit' });
  expect(await one.wait()).toBe(3);
  expect(bench.read('one')).toBe('1\n');
  expect(await owner.inspect(pod.id)).toMatchObject({
    state: 'running',
    apps: [
      { name: 'one', state: 'exited', exitCode: 3 },
      { name: 'two', state: 'running' },
    ],
  });
  await expect(owner.removeApp(pod.id, 'two')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_APP_RUNNING' });
  await owner.stopApp(pod.id, 'two', { timeoutMs: 2_000 });
  expect([4, 143]).toContain(await two.wait());
  await other.removeApp(pod.id, 'one');
  expect((await owner.inspect(pod.id)).apps.map(({ name }) => name)).toEqual(['two']);
  await expect(other.startApp(pod.id, 'one', { stdio: 'inherit' })).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_APP_NOT_FOUND',
  });
  // The name is free again, for another app.
  await add(other, 'one', 'exit 5');
  expect(await (await other.startApp(pod.id, 'one', { stdio: 'inherit' })).wait()).toBe(5);
});

it('forgets what an app has written, in its own volumes too, and keeps what the pod shares', async () => {
  const points = { mountPoints: [{ name: 'data', path: '/data' }] };
  const shared = { name: 'shared', kind: 'empty' as const };
  const make = (script: string) => {
    const { app, rootfs } = definition('one', script);
    const mounts = [...(app.mounts ?? []), { volume: 'shared', path: '/shared' }];
    return { app: { ...app, app: { ...app.app, ...points }, mounts }, rootfs, volumes: [out(), shared] };
  };
  for (const script of ['echo 1 >/data/own; echo 1 >/shared/all', 'ls /data /shared >/out/seen']) {
    await owner.defineApp(pod.id, make(script));
    await owner.addApp(pod.id, 'one');
    expect(await (await owner.startApp(pod.id, 'one', { stdio: 'inherit' })).wait()).toBe(0);
    await owner.removeApp(pod.id, 'one');
  }
  expect(bench.read('seen')).toBe('/data:\nlink\nsub\n\n/shared:\nall\n');
});

it('takes many at the same time, from two processes', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `app-${index}`);
  await Promise.all(names.map((name, index) => add(index % 2 === 0 ? owner : other, name, 'exit 0')));
  expect((await owner.inspect(pod.id)).apps.map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual(
    names.map((name) => `${name} created`),
  );
});

it('defines the same app once, and no other of its name or that of a volume', async () => {
  const same = definition('one', 'exit 0');
  await owner.defineApp(pod.id, same);
  await other.defineApp(pod.id, same);
  const refused = { code: 'ERR_RKT_STAGE1_MANIFEST_INVALID' };
  await expect(other.defineApp(pod.id, definition('one', 'exit 1'))).rejects.toMatchObject(refused);
  const volumes = [{ ...out(), readOnly: true }];
  await expect(other.defineApp(pod.id, { ...definition('two', ''), volumes })).rejects.toMatchObject(refused);
  await expect(other.defineApp(pod.id, definition('../x', ''))).rejects.toMatchObject(refused);
  const { apps } = (await owner.inspect(pod.id)).manifest ?? {};
  expect(apps).toHaveLength(1);
});

/** A process that is killed at a system call, as far as what it leaves goes: nothing of it is undone. */
async function dyingAt(call: keyof Syscalls): Promise<Runtime> {
  const host = createHost();
  const kernel = await host.kernel();
  const die = (): never => {
    throw new Error('killed');
  };
  const syscalls = { ...kernel.syscalls, [call]: die };
  return createRuntime({
    dataDir: bench.dataDir,
    configDirs: [],
    host: { ...host, kernel: async () => ({ ...kernel, syscalls }) },
  });
}

it.each(['mountBind', 'mountOverlay', 'openInRoot'] as const)(
  'lets another process carry on where one was killed at %s, and the app start once',
  async (call) => {
    const dying = await dyingAt(call);
    const mounts = [
      { volume: 'out', path: '/out' },
      { volume: 'own', path: '/data' },
    ];
    const { app, rootfs } = definition('one', 'ls /data/sub >/out/sub');
    const volumes = [out(), { name: 'own', kind: 'empty' as const }];
    await dying.defineApp(pod.id, { app: { ...app, mounts }, rootfs, volumes });
    await expect(dying.addApp(pod.id, 'one')).rejects.toThrow('killed');
    await other.addApp(pod.id, 'one');
    const holder = JSON.parse(readFileSync(join(bench.dataDir, 'pods/run', pod.id, 'run.json'), 'utf8')).holder.pid;
    const mounted = readFileSync(`/proc/${holder}/mountinfo`, 'utf8').split('\n');
    expect(mounted.filter((line) => line.includes(`/bundle/rootfs `))).toHaveLength(1);
    expect(await (await other.startApp(pod.id, 'one', { stdio: 'inherit' })).wait()).toBe(0);
    expect(bench.read('sub')).toBe('file\n');
  },
);

it('is cleared away by gc when what was begun in it was never finished', async () => {
  const dying = await dyingAt('mountOverlay');
  await dying.defineApp(pod.id, definition('one', ''));
  await expect(dying.addApp(pod.id, 'one')).rejects.toThrow('killed');
  mkdirSync(join(bench.dataDir, 'pods/run', pod.id, 'apps/two/bundle'), { recursive: true });
  await owner.stopSandbox(pod.id);
  const events = await collectAll(other, { graceMs: 0 });
  expect(events).toContainEqual({ kind: 'removed', id: pod.id });
  expect((await other.list()).find(({ id }) => id === pod.id)).toBeUndefined();
  await owner
    .prepare({
      manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [] },
      rootfs: {},
      sandbox: { networks: [] },
      mutable: true,
    })
    .then((made) => {
      pod = made;
    });
});

it('is not what other pods are', async () => {
  const fixed = await bench.prepare(owner, 'exit 0');
  await owner.createSandbox(fixed.id);
  await expect(owner.defineApp(fixed.id, definition('more', ''))).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_POD_IMMUTABLE',
  });
  await owner.addApp(fixed.id, 'app');
  await owner.removeApp(fixed.id, 'app');
  expect((await owner.inspect(fixed.id)).apps.map(({ name }) => name)).toEqual(['app']);
  await owner.stopSandbox(fixed.id);
  await expect(owner.waitSandbox(fixed.id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_RUNNING' });
});

it('is added once by two who do so at the same time, and not removed from under one who starts it', async () => {
  const one = definition('one', 'echo ran >>/out/races; exec sleep 60');
  await Promise.all([owner, other].map((runtime) => runtime.defineApp(pod.id, one)));
  await Promise.all([owner, other, owner].map((runtime) => runtime.addApp(pod.id, 'one')));
  const [started, removed] = await Promise.allSettled([
    owner.startApp(pod.id, 'one', { stdio: 'inherit' }),
    other.removeApp(pod.id, 'one'),
  ]);
  expect(started.status).toBe('fulfilled');
  expect(removed).toMatchObject({ status: 'rejected', reason: { code: 'ERR_RKT_STAGE1_APP_RUNNING' } });
  await expect(other.startApp(pod.id, 'one', { stdio: 'inherit' })).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_APP_RUNNING',
  });
  await other.stopApp(pod.id, 'one', { force: true });
  if (started.status === 'fulfilled') await started.value.wait();
  await other.removeApp(pod.id, 'one');
  // One overlay above another would still be mounted, and keep the directory.
  expect(existsSync(join(bench.dataDir, 'pods/run', pod.id, 'overlay/one'))).toBe(false);
});
