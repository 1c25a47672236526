// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Attachment, LogEntry, LogOptions, MonitorOptions, Runtime, StdioMode } from '../../src/index.ts';
import { createHost } from '../../src/index.ts';
import { collectAll, createPodBench, type PodBench, type PodOptions } from './bench.ts';
import { footprint, none } from './footprint.ts';

let bench: PodBench;
beforeAll(() => {
  bench = createPodBench();
});
afterEach(() => expect(footprint(bench.dataDir, bench.ids)).toEqual(none));
afterAll(() => bench.remove());

interface Detached extends PodOptions {
  readonly stdio?: StdioMode;
  readonly monitor?: MonitorOptions;
}

/** Starts a pod as `rkt run --detach` does, and lets go of it. */
async function startDetached(runtime: Runtime, script: string, options: Detached = {}): Promise<string> {
  const { id } = await bench.prepare(runtime, script, options);
  await runtime.createSandbox(id);
  try {
    await runtime.addApp(id, 'app');
    await runtime.startApp(id, 'app', { stdio: options.stdio ?? 'inherit', monitor: options.monitor ?? {} });
    await runtime.detach(id);
  } catch (error) {
    await runtime.stopSandbox(id);
    throw error;
  }
  return id;
}

async function read(runtime: Runtime, id: string, options?: LogOptions): Promise<string> {
  const entries: LogEntry[] = [];
  for await (const entry of runtime.logs(id, options)) entries.push(entry);
  return entries.map(({ stream, bytes }) => `${stream}: ${Buffer.from(bytes).toString()}`).join('');
}

/** Of the monitor: everything that stays of a detached pod beside its app. */
function monitorOf(id: string): number {
  const status = readFileSync(join(bench.dataDir, 'pods/run', id, 'apps/app/status.json'), 'utf8');
  return JSON.parse(status).monitor.pid;
}

const looping = 'trap "exit 3" TERM; while :; do sleep 0.05; done';

describe.each([['/usr/sbin/runc'], ['/usr/bin/crun']])('a detached pod on %s', (runtimePath) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await bench.runtime(runtimePath);
  });

  it('goes on without us, keeps its output and status, and is exited by itself', async () => {
    const id = await startDetached(runtime, 'echo out; echo err >&2; sleep 0.4; printf end; exit 7');
    const during = await runtime.inspect(id);
    expect([during.state, during.apps[0]?.state]).toEqual(['running', 'running']);
    expect(await runtime.waitApp(id)).toBe(7);
    const after = await runtime.inspect(id);
    expect([after.state, after.apps[0]?.state, after.apps[0]?.exitCode]).toEqual(['exited', 'exited', 7]);
    expect(after.apps[0]?.finishedAt).toBeGreaterThan(after.apps[0]?.startedAt ?? Number.NaN);
    const text = await read(runtime, id);
    expect(text).toContain('stdout: out\n');
    expect(text).toContain('stderr: err\n');
    expect(text).toMatch(/stdout: end$/);
    expect(await runtime.releaseEnded(id)).toBe(true);
    expect((await runtime.inspect(id)).apps[0]?.exitCode).toBe(7);
    await runtime.remove(id);
  });

  it('has no mount and no process of ours on the host but the monitor', async () => {
    const id = await startDetached(runtime, `trap "exit 3" TERM; echo ready; ${looping}`);
    await expect.poll(() => read(runtime, id)).toContain('ready');
    const { mounts, processes } = footprint(bench.dataDir, [id]);
    expect(mounts).toEqual([]);
    expect(processes.map((command) => command.split(' ')[0])).toEqual(['/usr/bin/conmon']);
    await runtime.stopSandbox(id);
    expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', apps: [{ state: 'exited', exitCode: 3 }] });
  });

  it('is in cgroups of its own, monitor and all, so that the end of who started it is not theirs', async () => {
    const id = await startDetached(runtime, looping);
    const status = JSON.parse(readFileSync(join(bench.dataDir, 'pods/run', id, 'apps/app/status.json'), 'utf8'));
    const cgroups = (pid: number): readonly string[] =>
      readFileSync(`/proc/${pid}/cgroup`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(':')[2] ?? '');
    expect(new Set(cgroups(status.monitor.pid))).toEqual(new Set(['/rkt/monitors']));
    expect(cgroups(status.process.pid).every((path) => path.startsWith('/rkt/'))).toBe(true);
    await runtime.stopSandbox(id, { force: true });
    expect(await runtime.releaseEnded(id)).toBe(true);
    expect(createHost().cgroups.processes('rkt/monitors')).toEqual([]);
  });

  it('has no descriptor but its streams: neither the lock nor anything of the monitor', async () => {
    const id = await startDetached(runtime, '', { exec: ['/bin/ls', '/proc/self/fd'] });
    expect(await runtime.waitApp(id)).toBe(0);
    // The last one is that of the directory it lists.
    expect(await read(runtime, id)).toBe('stdout: 0\nstdout: 1\nstdout: 2\nstdout: 3\n');
    await runtime.stopSandbox(id);
  });

  it('is entered, signalled and stopped', async () => {
    const id = await startDetached(runtime, `trap "echo usr1" USR1; echo ready; ${looping}`, {
      sandbox: { networks: [{ name: 'default' }] },
    });
    await expect.poll(() => read(runtime, id)).toContain('ready');
    expect(
      await runtime.enter(id, { command: ['/bin/sh', '-c', 'ls /sys/class/net >/out/net; exit 5'], tty: false }),
    ).toBe(5);
    expect(bench.read('net')).toContain('eth0');
    await runtime.signalApp(id, { name: 'SIGUSR1' });
    await expect.poll(() => read(runtime, id)).toContain('usr1');
    await runtime.stopSandbox(id, { force: true });
    expect(await runtime.waitApp(id)).toBe(137);
    await expect(runtime.signalApp(id, { name: 'SIGTERM' })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_APP_NOT_RUNNING',
    });
  });

  it('executes what is to be done at the end, when the pod can be had', async () => {
    const note = join(bench.out, 'ended');
    const look = `flock --exclusive --nonblock "$0" cat "$1" >${note}`;
    const { id } = await bench.prepare(runtime, 'sleep 0.3; exit 4');
    const dir = join(bench.dataDir, 'pods/run', id);
    const onExit = ['/bin/sh', '-c', look, join(dir, 'lock'), join(dir, 'apps/app/exit/app')];
    await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    const app = await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: { onExit } });
    await runtime.detach(id);
    expect(await app.wait()).toBe(4);
    expect(readFileSync(note, 'utf8')).toBe('4');
    await runtime.stopSandbox(id);
  });

  it('says that memory ran out', async () => {
    const isolators = [{ name: 'resource/memory', value: { limit: '16Mi' } }];
    const grow = 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done';
    const id = await startDetached(runtime, grow, { app: { isolators } });
    expect(await runtime.waitApp(id)).toBe(137);
    expect((await runtime.inspect(id)).apps[0]).toMatchObject({ exitCode: 137, outOfMemory: true });
    await runtime.stopSandbox(id);
    expect((await runtime.inspect(id)).apps[0]).toMatchObject({ exitCode: 137, outOfMemory: true });
  });

  it('that cannot be executed fails to start, and says why', async () => {
    const start = (exec: readonly string[]): Promise<string> => startDetached(runtime, '', { exec });
    await expect(start(['/bin/absent'])).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND' });
    writeFileSync(join(bench.image, 'bin/text'), 'no program at all\n', { mode: 0o755 });
    await expect(start(['/bin/text'])).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_EXEC_FORMAT' });
  });

  describe('whose monitor is killed', () => {
    /** Says whether it was asked to end. */
    const asked = `trap "touch /out/asked; exit 3" TERM; touch /out/ready; ${looping.slice(looping.indexOf('while'))}`;

    async function orphaned(): Promise<string> {
      for (const name of ['asked', 'ready']) rmSync(join(bench.out, name), { force: true });
      const id = await startDetached(runtime, asked, { sandbox: { networks: [{ name: 'default' }] } });
      await expect.poll(() => existsSync(join(bench.out, 'ready'))).toBe(true);
      process.kill(monitorOf(id), 'SIGKILL');
      await expect.poll(async () => (await runtime.inspect(id)).state).toBe('orphaned');
      return id;
    }

    it('is orphaned for as long as its app runs', async () => {
      const id = await orphaned();
      expect((await runtime.inspect(id)).apps[0]?.state).toBe('running');
      expect(await runtime.enter(id, { command: ['/bin/sh', '-c', 'exit 5'], tty: false })).toBe(5);
      await expect(runtime.waitApp(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_STATUS_UNKNOWN' });
      await runtime.signalApp(id, { name: 'SIGKILL' });
      await expect.poll(async () => (await runtime.inspect(id)).state).toBe('exited');
      expect(await collectAll(runtime, { graceMs: 0 })).toContainEqual({ kind: 'removed', id });
    });

    it('is orphaned also when its sandbox is kept for restarts, of which there are none any more', async () => {
      const { id } = await bench.prepare(runtime, 'touch /out/kept; while :; do sleep 0.05; done');
      await runtime.createSandbox(id);
      await runtime.addApp(id, 'app');
      await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {} });
      await runtime.detach(id, { keepSandbox: true });
      expect((await runtime.inspect(id)).state).toBe('running');
      process.kill(monitorOf(id), 'SIGKILL');
      await expect.poll(async () => (await runtime.inspect(id)).state).toBe('orphaned');
      expect((await runtime.inspect(id)).apps[0]?.state).toBe('running');
      await runtime.signalApp(id, { name: 'SIGKILL' });
      await expect.poll(async () => (await runtime.inspect(id)).apps[0]?.state).toBe('exited');
      expect((await runtime.inspect(id)).state).toBe('orphaned');
      await expect(runtime.waitApp(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_STATUS_UNKNOWN' });
      await runtime.stopSandbox(id);
      expect((await runtime.inspect(id)).state).toBe('exited');
      expect(footprint(bench.dataDir, [id])).toEqual(none);
    });

    it.each<[string, (id: string) => Promise<unknown>]>([
      ['stopSandbox', (id) => runtime.stopSandbox(id)],
      ['remove', (id) => runtime.remove(id)],
      ['gc', () => collectAll(runtime, { graceMs: 0 })],
    ])('is asked to end by %s, which leaves a clean host', async (_, end) => {
      const id = await orphaned();
      await end(id);
      expect(existsSync(join(bench.out, 'asked'))).toBe(true);
      expect(footprint(bench.dataDir, [id])).toEqual(none);
    });
  });
});

it('of several apps is running until the last has ended, and is released then', async () => {
  const runtime = await bench.runtime();
  const app = (name: string, script: string) => {
    return {
      name,
      image: { id: 'sha512-0' as const },
      app: { exec: ['/bin/sh', '-c', script], user: '0', group: '0' },
    };
  };
  const source = { type: 'directory', path: bench.image } as const;
  const { id } = await runtime.prepare({
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [app('a', 'echo a; exit 1'), app('b', looping)] },
    rootfs: { a: source, b: source },
    sandbox: { networks: [{ name: 'default' }] },
  });
  bench.ids.push(id);
  await runtime.createSandbox(id);
  for (const name of ['a', 'b']) await runtime.addApp(id, name);
  for (const name of ['a', 'b']) await runtime.startApp(id, name, { stdio: 'inherit', monitor: {} });
  await runtime.detach(id);
  expect(await runtime.waitApp(id, { app: 'a' })).toBe(1);
  expect(await runtime.releaseEnded(id)).toBe(false);
  expect(await runtime.inspect(id)).toMatchObject({ state: 'running', apps: [{ exitCode: 1 }, { state: 'running' }] });
  await expect(read(runtime, id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_APP_UNSPECIFIED' });
  expect(await read(runtime, id, { app: 'a' })).toBe('stdout: a\n');
  await runtime.signalApp(id, { name: 'SIGKILL', app: 'b' });
  expect(await runtime.waitApp(id, { app: 'b' })).toBe(137);
  expect(footprint(bench.dataDir, [id]).addresses).not.toEqual([]);
  expect(await runtime.releaseEnded(id)).toBe(true);
});

describe('who attaches to a detached app', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await bench.runtime();
  });

  async function gather(attachment: Attachment, until: string): Promise<string> {
    let text = '';
    for await (const { stream, bytes } of attachment.output) {
      text += `${stream}: ${Buffer.from(bytes).toString()}`;
      if (text.includes(until)) break;
    }
    return text;
  }

  it('reads both streams and writes to the third, which stays open', async () => {
    const script = 'while read line; do echo "got $line"; echo "err $line" >&2; [ "$line" = end ] && exit 6; done';
    const id = await startDetached(runtime, script, { stdio: 'interactive' });
    const first = await runtime.attach(id);
    expect([first.hasStdin, first.hasTerminal]).toEqual([true, false]);
    await first.write(Buffer.from('one\n'));
    expect(await gather(first, 'err one')).toMatch(/stdout: got one\n/);
    const second = await runtime.attach(id);
    const output = gather(second, 'nothing like this');
    await second.write(Buffer.from('end\n'));
    expect(await output).toMatch(/stdout: got end\n/);
    expect(await runtime.waitApp(id)).toBe(6);
    await second.write(Buffer.from('nobody takes this'));
    second.close();
    await expect(runtime.attach(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_APP_NOT_RUNNING' });
    await runtime.stopSandbox(id);
  });

  it('gives what is larger than a packet, whole', async () => {
    const id = await startDetached(runtime, `while read line; do echo "\${#line}"; done`, { stdio: 'interactive' });
    const attachment = await runtime.attach(id);
    await attachment.write(Buffer.from(`${'x'.repeat(50_000)}\n`));
    expect(await gather(attachment, '\n')).toBe('stdout: 50000\n');
    await runtime.stopSandbox(id, { force: true });
  });

  it('leaves, however long nothing is written, and the app goes on', async () => {
    const id = await startDetached(runtime, looping, { stdio: 'tty' });
    const attachment = await runtime.attach(id);
    expect(attachment.hasTerminal).toBe(true);
    const output = gather(attachment, 'nothing like this');
    await delay(50);
    attachment.close();
    expect(await output).toBe('');
    (await runtime.attach(id)).close();
    expect((await runtime.inspect(id)).state).toBe('running');
    await runtime.stopSandbox(id, { force: true });
  });

  it('is refused where the app runs in a foreground', async () => {
    const { id } = await bench.prepare(runtime, looping);
    await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    await runtime.startApp(id, 'app', { stdio: 'inherit' });
    await expect(runtime.attach(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_APP_NOT_DETACHED' });
    await runtime.stopSandbox(id, { force: true });
  });
});

describe('the log of a detached app', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await bench.runtime();
  });

  it('is followed to the end, also when it is begun anew', async () => {
    const script = 'i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo "line $i"; [ $((i % 40)) = 0 ] && sleep 0.25; done';
    const id = await startDetached(runtime, script, { monitor: { maxLogBytes: 8_000 } });
    const text = await read(runtime, id, { follow: true });
    const numbers = [...text.matchAll(/line (\d+)\n/g)].map(([, number]) => Number(number));
    expect(numbers.at(-1)).toBe(400);
    expect(numbers).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
    const kept = await read(runtime, id);
    expect(kept.length).toBeLessThan(8_000);
    expect(await read(runtime, id, { tail: 2 })).toBe('stdout: line 399\nstdout: line 400\n');
    expect(await read(runtime, id, { since: Date.now() })).toBe('');
    await runtime.stopSandbox(id);
  });

  it('is not there for an app in the foreground', async () => {
    const { pod } = await bench.run(runtime, 'true');
    await expect(read(runtime, pod.id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_LOG_NOT_FOUND' });
    expect(readdirSync(join(pod.dir, 'apps/app'))).not.toContain('log');
    expect(existsSync(pod.dir)).toBe(true);
  });
});

it('is released also when its apps were settled before its sandbox was known to be kept', async () => {
  const runtime = await bench.runtime();
  const { id } = await bench.prepare(runtime, 'exit 2');
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {} });
  expect(await runtime.waitApp(id)).toBe(2);
  expect(await runtime.releaseEnded(id, { app: 'app' })).toBe(false);
  await runtime.detach(id, { keepSandbox: true });
  expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', apps: [{ exitCode: 2 }] });
});

it.each([true, false])('is ended by gc when its directory was lost (kept: %s)', async (keepSandbox) => {
  const runtime = await bench.runtime();
  const { id } = await bench.prepare(runtime, looping);
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  const { pid } = await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {} });
  await runtime.detach(id, { keepSandbox });
  const { pid: holder } = JSON.parse(readFileSync(join(bench.dataDir, 'pods/run', id, 'run.json'), 'utf8')).holder;
  rmSync(join(bench.dataDir, 'pods/run', id), { recursive: true });
  expect(await collectAll(runtime, { graceMs: 0 })).toContainEqual({ kind: 'removed', id });
  const { processes } = createHost();
  for (const each of [pid, holder]) expect(processes.identify(each)).toBeUndefined();
});

it('is checked in the app, as its image has it, until it ends', async () => {
  const runtime = await bench.runtime();
  const check = (script: string) => ({
    runtimeApp: {
      annotations: [
        {
          name: 'appc.io/docker/healthcheck',
          value: JSON.stringify({ Test: ['CMD-SHELL', script], Timeout: 4e8, Retries: 1 }),
        },
      ],
    },
  });
  const script = '[ ! -e /slow ] || exec sleep 60; echo checked >&2; [ ! -e /ill ]';
  const id = await startDetached(runtime, looping, check(script));
  await expect.poll(() => runtime.checkHealth(id)).toMatchObject({ status: 'healthy', failures: 0, exitCode: 0 });
  await runtime.enter(id, { tty: false, command: ['/bin/sh', '-c', ': >/ill'] });
  expect(await runtime.checkHealth(id)).toMatchObject({ status: 'unhealthy', failures: 1, exitCode: 1 });
  await runtime.enter(id, { tty: false, command: ['/bin/sh', '-c', ': >/slow'] });
  const slow = await runtime.checkHealth(id);
  expect([slow?.failures, slow?.exitCode]).toEqual([2, undefined]);
  // What took too long does not go on.
  const running = createHost().cgroups.processes(join('rkt', id));
  expect(
    running.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).filter((line) => line.includes('60')),
  ).toEqual([]);
  await runtime.stopSandbox(id, { force: true });
  await expect(runtime.checkHealth(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_APP_NOT_RUNNING' });
});

it('has a shell that checks it, which ends with the pod', async () => {
  const runtime = await bench.runtime();
  const value = JSON.stringify({ Test: ['CMD', '/bin/true'], Interval: 1e9 });
  const runtimeApp = { annotations: [{ name: 'appc.io/docker/healthcheck', value }] };
  const { id } = await bench.prepare(runtime, looping, { runtimeApp });
  const healthCheck = ['/bin/sh', '-c', 'echo checked >>"$0"', join(bench.out, 'checks')];
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {}, healthCheck });
  await runtime.detach(id);
  expect((await runtime.inspect(id)).apps[0]?.health).toEqual({ status: 'starting', failures: 0 });
  await expect
    .poll(() => existsSync(join(bench.out, 'checks')) && bench.read('checks'), { timeout: 10_000 })
    .toContain('checked\nchecked\n');
  await runtime.stopSandbox(id, { force: true });
});
