// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRuntime, type Flavor, type PodId, type Runtime } from '../../src/index.ts';
import { createFakeFlavor, createFakeHost, type FakeHost } from '../../src/testing/index.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-restart-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const again = { stdio: 'inherit', again: true } as const;

interface Bench {
  readonly host: FakeHost;
  readonly runtime: Runtime;
  readonly id: PodId;
  /** Processes by their cgroup. */
  readonly members: Map<string, readonly number[]>;
  /** Lets time pass, in ms. */
  readonly pass: (ms: number) => void;
  /** As another process has it. */
  readonly another: () => Promise<Runtime>;
  /** The next start waits when it has begun, until it is let go. */
  readonly holdStart: () => { readonly begun: Promise<void>; readonly letGo: () => void };
}

/** A pod whose app has been started and has failed. */
async function failedApp(): Promise<Bench> {
  const members = new Map<string, readonly number[]>();
  const host = createFakeHost({ membersOf: (cgroup) => members.get(cgroup) ?? [] });
  const fake = createFakeFlavor();
  let onStart = (): Promise<void> => Promise.resolve();
  const flavor: Flavor = {
    ...fake,
    start: async (...request) => {
      await onStart();
      return fake.start(...request);
    },
  };
  let now = Date.now();
  const clock = (): number => now;
  const another = (): Promise<Runtime> =>
    createRuntime({ dataDir, configDirs: [], host, flavors: [flavor], now: clock });
  const runtime = await another();
  const app = { exec: ['/bin/app'], user: '0', group: '0' };
  const { id } = await runtime.prepare({
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'app', image: { id: 'sha512-0' }, app }] },
    rootfs: { app: { type: 'directory', path: '/' } },
    sandbox: { networks: [{ name: 'none' }] },
  });
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  const running = await runtime.startApp(id, 'app', { stdio: 'inherit' });
  host.end(running.pid, 1);
  await running.wait();
  const holdStart: Bench['holdStart'] = () => {
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    onStart = () => {
      begun.resolve();
      return gate.promise;
    };
    return { begun: begun.promise, letGo: gate.resolve };
  };
  const pass = (ms: number): void => {
    now += ms;
  };
  return { host, runtime, id, members, pass, another, holdStart };
}

describe('an app that is started again', () => {
  it('is not once somebody has stopped it, until it is started anew', async () => {
    const { runtime, id } = await failedApp();
    await runtime.stopApp(id, 'app');
    await expect(runtime.startApp(id, 'app', again)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_APP_NOT_RUNNING',
      message: `app "app" of pod ${id} has been stopped, and is not started again`,
    });
    await runtime.startApp(id, 'app', { stdio: 'inherit' });
    expect((await runtime.inspect(id)).apps[0]?.stopRequested).toBeUndefined();
    await runtime.stopSandbox(id, { force: true });
  });

  it('has its restarts counted, and those since it last ran for ten seconds', async () => {
    const { host, runtime, id, pass } = await failedApp();
    const counts: unknown[] = [];
    for (const ms of [1_000, 9_999, 10_000, 1_000]) {
      const running = await runtime.startApp(id, 'app', again);
      pass(ms);
      host.end(running.pid, 1);
      await running.wait();
      const [app] = (await runtime.inspect(id)).apps;
      counts.push([app?.restarts, app?.restartsInARow]);
    }
    expect(counts).toEqual([
      [1, 1],
      [2, 2],
      [3, 0],
      [4, 1],
    ]);
    await runtime.stopSandbox(id, { force: true });
  });

  it('ends when it is stopped the moment it is being started', async () => {
    const { host, runtime, id, holdStart } = await failedApp();
    const { begun, letGo } = holdStart();
    const starting = runtime.startApp(id, 'app', again);
    await begun;
    const stopping = runtime.stopApp(id, 'app', { force: true });
    setTimeout(letGo, 50);
    const { pid } = await starting;
    await stopping;
    expect(host.processes.identify(pid)).toBeUndefined();
    expect((await runtime.inspect(id)).apps[0]).toMatchObject({ state: 'exited', stopRequested: true });
    await runtime.stopSandbox(id, { force: true });
  });
});

it('is ended also when whoever started it again died before writing that down', async () => {
  const { host, runtime, id, members } = await failedApp();
  const { dir } = await runtime.inspect(id);
  const file = join(dir, 'apps/app/status.json');
  const { createdAt, startedAt, process } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ createdAt, startedAt, process }));
  const { pid } = host.processes.spawn({ file: '/bin/app', args: [], stdio: [] });
  members.set(`rkt/${id}/app`, [pid]);
  await runtime.stopApp(id, 'app', { force: true });
  expect(host.processes.identify(pid)).toBeUndefined();
  await runtime.stopSandbox(id, { force: true });
});

it('is stopped, and asked to first, although its record still tells the end of the run before', async () => {
  const { host, runtime, id, members } = await failedApp();
  expect((await runtime.inspect(id)).apps[0]).toMatchObject({ state: 'exited', exitCode: 1 });
  const { pid } = host.processes.spawn({ file: '/bin/app', args: [], stdio: [] });
  members.set(`rkt/${id}/app`, [pid]);
  const stopping = runtime.stopApp(id, 'app');
  const asked = { kind: 'signal', pid, signal: 'SIGTERM' };
  await expect.poll(() => host.operations).toContainEqual(asked);
  host.end(pid, 0);
  await stopping;
  await runtime.stopSandbox(id, { force: true });
});

it('has nothing of its last run on record while it is started, and all of it when it could not be', async () => {
  const { host, runtime, id, holdStart } = await failedApp();
  const before = await runtime.inspect(id);
  const last = before.apps[0];
  // As a monitor keeps it.
  const exit = join(before.dir, 'apps/app/exit');
  mkdirSync(exit);
  writeFileSync(join(exit, 'app'), '1');
  const first = holdStart();
  const starting = runtime.startApp(id, 'app', { stdio: 'inherit' });
  await first.begun;
  const during = (await runtime.inspect(id)).apps[0];
  expect([during?.finishedAt, during?.exitCode]).toEqual([undefined, undefined]);
  first.letGo();
  const { pid } = await starting;
  expect((await runtime.inspect(id)).apps[0]?.state).toBe('running');
  host.end(pid, 1);
  await expect.poll(async () => (await runtime.inspect(id)).apps[0]?.exitCode).toBe(1);
  const ended = (await runtime.inspect(id)).apps[0];
  const second = holdStart();
  const signal = AbortSignal.timeout(50);
  const failing = runtime.startApp(id, 'app', { stdio: 'inherit', signal });
  await second.begun;
  await expect.poll(() => signal.aborted).toBe(true);
  second.letGo();
  await expect(failing).rejects.toBe(signal.reason);
  expect((await runtime.inspect(id)).apps[0]).toEqual(ended);
  expect(last?.state).toBe('exited');
  await runtime.stopSandbox(id, { force: true });
});

it('is not checked any more once it has been removed', async () => {
  const { host, runtime, id, members } = await failedApp();
  const { pid } = host.processes.spawn({ file: '/bin/sh', args: [], stdio: [] });
  members.set(`rkt/${id}/health.app`, [pid]);
  await runtime.removeApp(id, 'app');
  expect(host.processes.identify(pid)).toBeUndefined();
  expect(host.operations).toContainEqual({ kind: 'remove-cgroup', path: `rkt/${id}/health.app` });
  await runtime.stopSandbox(id, { force: true });
});

describe('a sandbox that is kept for an app whose end nobody saw', () => {
  const longAgo = (): number => Date.now() - 10 * 60_000;

  /** As the kill of a monitor leaves it. @returns the process that keeps the sandbox */
  async function forgotten({ runtime, id }: Bench): Promise<number> {
    const { dir } = await runtime.inspect(id);
    const change = (file: string, to: (record: Record<string, unknown>) => unknown): void =>
      writeFileSync(join(dir, file), JSON.stringify(to(JSON.parse(readFileSync(join(dir, file), 'utf8')))));
    change('apps/app/status.json', ({ createdAt, process, monitor }) => ({
      ...{ createdAt, process, monitor, startedAt: longAgo(), streams: { stdin: false, terminal: false } },
    }));
    let holder = 0;
    change('run.json', (run) => {
      holder = Number(Reflect.get(Object(run['holder']), 'pid'));
      return { ...run, kept: true };
    });
    return holder;
  }

  it('is ended by gc', async () => {
    const bench = await failedApp();
    const holder = await forgotten(bench);
    for await (const _ of (await bench.another()).gc({ markOnly: true }));
    expect(bench.host.processes.identify(holder)).toBeUndefined();
  });

  it('stays while something of the app runs', async () => {
    const bench = await failedApp();
    const holder = await forgotten(bench);
    bench.members.set(`rkt/${bench.id}/app`, [holder]);
    for await (const _ of (await bench.another()).gc({ markOnly: true }));
    expect(bench.host.processes.identify(holder)).toBeDefined();
  });

  const stateOf = async ({ id }: Bench, runtime: Runtime): Promise<unknown> => (await runtime.inspect(id)).state;

  it('is orphaned, and nobody waits for the status', async () => {
    const bench = await failedApp();
    const other = await bench.another();
    expect(await stateOf(bench, other)).toBe('running');
    await forgotten(bench);
    expect(await stateOf(bench, other)).toBe('orphaned');
    await expect(other.waitApp(bench.id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_STATUS_UNKNOWN' });
    bench.members.set(`rkt/${bench.id}/app`, [4242]);
    expect(await stateOf(bench, other)).toBe('orphaned');
    await bench.runtime.stopSandbox(bench.id, { force: true });
  });

  it('is not while the app is being started again, nor when its end is known', async () => {
    const bench = await failedApp();
    const other = await bench.another();
    await forgotten(bench);
    const { begun, letGo } = bench.holdStart();
    const starting = bench.runtime.startApp(bench.id, 'app', again);
    await begun;
    expect(await stateOf(bench, other)).toBe('running');
    letGo();
    const running = await starting;
    bench.host.end(running.pid, 1);
    await running.wait();
    await forgotten(bench);
    expect(await stateOf(bench, other)).toBe('orphaned');
    const { dir } = await bench.runtime.inspect(bench.id);
    mkdirSync(join(dir, 'apps/app/exit'), { recursive: true });
    writeFileSync(join(dir, 'apps/app/exit/app'), '1');
    expect(await stateOf(bench, other)).toBe('running');
    await bench.runtime.stopSandbox(bench.id, { force: true });
  });
});
