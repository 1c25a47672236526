// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceState } from '@rkt/stage1';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fakeIo } from '../support/fake-io.ts';
import { type FakeRuntime, fakePod, fakeRuntime } from '../support/fake-runtime.ts';
import { type Rkt, rktWith } from '../support/run-rkt.ts';

const { id } = fakePod();
const app = { exec: ['/bin/app'], user: '0', group: '0' };
const runtimeApp = (name: string) => ({ name, image: { id: 'sha512-0' as const }, app });
let dir: string;
let runtime: FakeRuntime;
let rkt: Rkt;
let told: [socket: string, state: ServiceState][];
let notifyService: (socket: string, state: ServiceState) => Promise<void>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-cli-service-'));
  runtime = fakeRuntime(join(dir, 'data'));
  told = [];
  notifyService = async (socket, state) => void told.push([socket, state]);
  rkt = rktWith(dir, {
    openRuntime: async () => runtime,
    notifyService: (socket, state) => notifyService(socket, state),
  });
  prepare('one');
});
afterEach(() => rmSync(dir, { recursive: true }));

function prepare(...names: readonly string[]): void {
  const manifest = { acVersion: '0.8.11', acKind: 'PodManifest', apps: names.map(runtimeApp) } as const;
  const apps = names.map((name) => ({ name, imageId: 'sha512-0', state: 'unknown' as const }));
  runtime.pods.set(id, fakePod({ state: 'prepared', manifest, apps }));
}

async function run(env: Readonly<Record<string, string>>) {
  const running = rkt.within(fakeIo({ env }), 'run-prepared', id);
  const failed = running.then(({ status }) => status === 254);
  await Promise.race([failed, vi.waitFor(() => expect(runtime.calls.at(-1)).toBe('startApp'), 5_000)]);
  runtime.exit(3);
  return await running;
}

it('is told when every app has been started, and when the pod is taken down', async () => {
  expect((await run({ NOTIFY_SOCKET: '/run/systemd/notify' })).status).toBe(3);
  expect(told).toEqual([
    ['/run/systemd/notify', { READY: 1, MAINPID: 4711 }],
    ['/run/systemd/notify', { STOPPING: 1 }],
  ]);
});

it.each([[{}], [{ NOTIFY_SOCKET: '' }], [{ NOTIFY_SOCKET: 'vsock:2:1' }]])(
  'is not told anything with %j',
  async (env) => {
    expect((await run(env)).status).toBe(3);
    expect(told).toEqual([]);
  },
);

it('need not be there: the pod runs all the same', async () => {
  notifyService = () => Promise.reject(new Error('no'));
  const { status, stderr } = await run({ NOTIFY_SOCKET: '@gone' });
  expect([status, stderr]).toEqual([3, expect.stringContaining('cannot notify the service manager: no\n')]);
});

it('hands its sockets to the app', async () => {
  await run({ LISTEN_PID: '4711', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:admin' });
  expect(runtime.listeners).toEqual({ fds: [3, 4], names: ['web', 'admin'] });
});

it.each([
  [{ LISTEN_PID: '1', LISTEN_FDS: '2' }],
  [{ LISTEN_PID: '4711', LISTEN_FDS: '0' }],
  [{ LISTEN_PID: '4711', LISTEN_FDS: '-1' }],
  [{ LISTEN_PID: '4711', LISTEN_FDS: '999' }],
  [{ LISTEN_FDS: '1' }],
])('hands over none with %j', async (env) => {
  await run(env);
  expect(runtime.listeners).toBeUndefined();
});

it('cannot hand them to several apps', async () => {
  prepare('one', 'two');
  const { status, stderr } = await run({ LISTEN_PID: '4711', LISTEN_FDS: '1' });
  expect([status, stderr]).toEqual([254, expect.stringContaining('sockets of systemd are for a pod of one app')]);
});
