// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRuntime, type GcEvent, type Pod, type PodId, type RunningApp, type Runtime } from '../../src/index.ts';
import { createFakeFlavor, createFakeHost, type FakeHost } from '../../src/testing/index.ts';

const count = 100;

let dataDir: string;
const home = process.cwd();
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-many-'));
});
afterEach(() => {
  // The fake host's mount namespaces are names: who works in them stays where the work was.
  process.chdir(home);
  rmSync(dataDir, { recursive: true, force: true });
});

interface Server {
  readonly runtime: Runtime;
  readonly host: FakeHost;
}

/** A process that drives pods; with a host of its own it knows of no process and no lock another had. */
async function server(): Promise<Server> {
  const host = createFakeHost();
  return { host, runtime: await createRuntime({ dataDir, configDirs: [], host, flavors: [createFakeFlavor()] }) };
}

async function prepare({ runtime }: Server, index: number): Promise<PodId> {
  const app = { exec: ['/bin/app', String(index)], user: '0', group: '0' };
  const apps = ['one', 'two'].map((name) => ({ name, image: { id: 'sha512-0' as const }, app }));
  const directory = { type: 'directory', path: '/' } as const;
  const { id } = await runtime.prepare({
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps },
    rootfs: { one: directory, two: directory },
    sandbox: { networks: [{ name: 'none' }] },
  });
  return id;
}

async function add({ runtime }: Server, id: PodId): Promise<void> {
  await runtime.createSandbox(id);
  for (const name of ['one', 'two']) await runtime.addApp(id, name);
}

async function start({ runtime }: Server, id: PodId): Promise<readonly RunningApp[]> {
  const options = { stdio: 'inherit' } as const;
  return Promise.all(['one', 'two'].map((name) => runtime.startApp(id, name, options)));
}

async function end({ host }: Server, apps: readonly RunningApp[], status: number): Promise<void> {
  for (const { pid } of apps) host.end(pid, status);
  expect(await Promise.all(apps.map((app) => app.wait()))).toEqual([status, status]);
}

async function collect({ runtime }: Server): Promise<readonly GcEvent[]> {
  const events: GcEvent[] = [];
  for await (const event of runtime.gc({ graceMs: 0 })) events.push(event);
  return events;
}

function statesOf(pods: readonly Pod[], ids: readonly PodId[]): readonly (string | undefined)[] {
  const states = new Map(pods.map(({ id, state }) => [id, state]));
  return ids.map((id) => states.get(id));
}

function repeat(times: number, state: string | undefined): readonly (string | undefined)[] {
  return Array.from({ length: times }, () => state);
}

it(`one process drives ${count} pods, another goes on where it was killed, and nothing is left`, async () => {
  const first = await server();
  const ids = await Promise.all(Array.from({ length: count }, (_, index) => prepare(first, index)));
  expect(new Set(ids).size).toBe(count);
  await Promise.all(ids.slice(0, 70).map((id) => add(first, id)));
  const started = await Promise.all(ids.slice(0, 50).map((id) => start(first, id)));
  await Promise.all(started.slice(0, 30).map((apps, index) => end(first, apps, index % 3)));
  await Promise.all(ids.slice(0, 20).map((id) => first.runtime.stopSandbox(id)));
  await Promise.all(ids.slice(0, 10).map((id) => first.runtime.remove(id)));
  expect(statesOf(await first.runtime.list(), ids)).toEqual([
    ...[...repeat(10, undefined), ...repeat(10, 'exited'), ...repeat(50, 'running'), ...repeat(30, 'prepared')],
  ]);

  // The first is killed here: what it held, the kernel has taken back.
  const second = await server();
  const found = await second.runtime.list();
  expect(statesOf(found, ids)).toEqual([
    ...[...repeat(10, undefined), ...repeat(60, 'exited'), ...repeat(30, 'prepared')],
  ]);
  const codes = new Map(found.map(({ id, apps }) => [id, apps.map(({ exitCode }) => exitCode)]));
  expect(ids.slice(10, 30).map((id) => codes.get(id))).toEqual(
    Array.from({ length: 20 }, (_, index) => [(index + 10) % 3, (index + 10) % 3]),
  );
  await expect(second.runtime.createSandbox(ids[40] ?? '')).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_POD_NOT_PREPARED',
  });
  await Promise.all(
    ids.slice(20, 40).flatMap((id) => [second.runtime.stopSandbox(id), second.runtime.stopSandbox(id)]),
  );
  const more = await Promise.all(
    ids.slice(70).map(async (id) => {
      await add(second, id);
      return { id, apps: await start(second, id) };
    }),
  );
  await Promise.all(
    more.map(async ({ id, apps }) => {
      await end(second, apps, 5);
      await second.runtime.stopSandbox(id);
    }),
  );
  const removed = (await collect(second)).filter(({ kind }) => kind === 'removed').map(({ id }) => id);
  expect(removed.toSorted()).toEqual(ids.slice(10).toSorted());
  expect(await second.runtime.list()).toEqual([]);
  for (const stage of readdirSync(join(dataDir, 'pods'))) expect(readdirSync(join(dataDir, 'pods', stage))).toEqual([]);
});

it('two processes that drive the same pods at the same time run each once', async () => {
  const host = createFakeHost();
  const runtimes = await Promise.all(
    [1, 2].map(() => createRuntime({ dataDir, configDirs: [], host, flavors: [createFakeFlavor()] })),
  );
  const [one] = runtimes;
  if (one === undefined) throw new Error('no runtime');
  const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => prepare({ runtime: one, host }, index)));
  const claims = await Promise.allSettled(runtimes.flatMap((runtime) => ids.map((id) => runtime.createSandbox(id))));
  expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(ids.length);
  const running = (await one.list()).filter(({ state }) => state === 'running');
  expect(running).toHaveLength(ids.length);
  await Promise.all(runtimes.flatMap((runtime) => ids.map((id) => runtime.stopSandbox(id))));
  expect((await one.list()).every(({ state }) => state === 'exited')).toBe(true);
});
