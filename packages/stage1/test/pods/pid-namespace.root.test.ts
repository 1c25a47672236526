// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHost, createRuntime, type ProcessIdentity, type Runtime, type SandboxSpec } from '../../src/index.ts';
import { collectAll, type PodOptions } from './bench.ts';
import { preparePair, startBoth } from './pair.ts';
import { usePodBench } from './use-bench.ts';

const { bench } = await usePodBench();
chmodSync(bench.out, 0o1777);
beforeEach(() => {
  // What users of a pod have made there is not for those of the next.
  for (const name of readdirSync(bench.out)) rmSync(join(bench.out, name));
});

const { cgroups, processes } = createHost();
const shared: Partial<SandboxSpec> = { pid: 'pod' };
const kinds = [
  ['users of the host', shared],
  ['users of its own', { ...shared, privateUsers: true }],
] as const;

const runFile = (id: string): string => join(bench.dataDir, 'pods/run', id, 'run.json');

/** The first process of the namespace, as it is on record. */
function initOf(id: string): ProcessIdentity {
  return JSON.parse(readFileSync(runFile(id), 'utf8')).init;
}

const appCgroup = (id: string): readonly number[] => cgroups.processes(join('rkt', id, 'app'));

async function until(name: string): Promise<void> {
  await expect.poll(() => existsSync(join(bench.out, name)), { timeout: 5_000 }).toBe(true);
}

/** A pod of one app, started in our foreground. */
async function start(runtime: Runtime, script: string, options: PodOptions = { sandbox: shared }) {
  const { id } = await bench.prepare(runtime, script, options);
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  return { id, app: await runtime.startApp(id, 'app', { stdio: 'inherit' }) };
}

async function startDetached(runtime: Runtime, script: string, keepSandbox: boolean): Promise<string> {
  const { id } = await bench.prepare(runtime, script, { sandbox: shared });
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {} });
  await runtime.detach(id, { keepSandbox });
  return id;
}

const waiting = 'touch /out/waits; while :; do sleep 0.02; done';

describe.each([['/usr/sbin/runc'], ['/usr/bin/crun']])('a PID namespace of the pod on %s', (runtimePath) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await bench.runtime(runtimePath);
  });

  it.each(kinds)('lets apps of a pod with %s see and signal each other, none of them the first', async (_, sandbox) => {
    const waits = `echo $$ >/out/pid; trap "exit 5" TERM; ${waiting}`;
    const signals = [
      'while [ ! -e /out/waits ]; do sleep 0.02; done; read other </out/pid',
      'grep -q touch /proc/$other/cmdline && kill -TERM $other; echo $$ >/out/own; cat /proc/1/cmdline >/out/first',
    ];
    const { id } = await preparePair({ bench, runtime }, [waits, signals.join('; ')], { sandbox });
    const { one, two } = await startBoth(runtime, id);
    expect(await Promise.all([one.wait(), two.wait()])).toEqual([5, 0]);
    await runtime.stopSandbox(id);
    expect(new Set(['1', bench.read('pid').trim(), bench.read('own').trim()]).size).toBe(3);
    expect(bench.read('first')).toContain('sleep\0infinity');
  });

  it('has ended what an app leaves when the app’s status is there, and runs the app again', async () => {
    const leaves = '(trap "" TERM; sleep 100 &) & sh -c "sleep 100 & sleep 100 &"; exit 4';
    const { id, app } = await start(runtime, leaves);
    expect(await app.wait()).toBe(4);
    expect(appCgroup(id)).toEqual([]);
    const again = await runtime.startApp(id, 'app', { stdio: 'inherit' });
    expect(await again.wait()).toBe(4);
    expect(appCgroup(id)).toEqual([]);
    await runtime.stopSandbox(id);
    expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', apps: [{ exitCode: 4 }] });
  });

  it('has whoever settles a detached app end what it leaves, before it is started again or released', async () => {
    const leaves = 'sh -c "sleep 100 & sleep 100 &"; exit 4';
    const id = await startDetached(runtime, leaves, true);
    await expect.poll(async () => (await runtime.inspect(id)).apps[0]?.exitCode, { timeout: 5_000 }).toBe(4);
    const left = appCgroup(id);
    await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {}, again: true });
    expect(appCgroup(id).filter((pid) => left.includes(pid))).toEqual([]);
    await expect.poll(async () => (await runtime.inspect(id)).apps[0]?.exitCode, { timeout: 5_000 }).toBe(4);
    await runtime.endLeftovers(id, { app: 'app' });
    expect(appCgroup(id)).toEqual([]);
    const init = initOf(id);
    expect(processes.isAlive(init)).toBe(true);
    expect(await runtime.releaseEnded(id, { app: 'app' })).toBe(true);
    expect(processes.isAlive(init)).toBe(false);
    expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', apps: [{ exitCode: 4 }] });
  });

  it('shows who enters an app the pod’s processes, and an app that runs is not cleared up after', async () => {
    const id = await startDetached(runtime, `trap "exit 3" TERM; ${waiting}`, false);
    await until('waits');
    await runtime.endLeftovers(id, { app: 'app' });
    const command = ['/bin/sh', '-c', 'cat /proc/1/cmdline >/out/first; (sleep 100 >/dev/null 2>&1 &); exit 9'];
    expect(await runtime.enter(id, { tty: false, command })).toBe(9);
    expect(bench.read('first')).toContain('sleep\0infinity');
    expect((await runtime.inspect(id)).apps[0]?.state).toBe('running');
    await runtime.stopSandbox(id);
    expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', apps: [{ exitCode: 3 }] });
  });

  it('ends the pod with its first process, says so of what is started then, and tells who waits', async () => {
    const { id, app } = await start(runtime, waiting);
    await until('waits');
    const waits = runtime.waitSandbox(id);
    processes.signal(initOf(id), 'SIGKILL');
    expect(await app.wait()).toBe(137);
    await expect(runtime.startApp(id, 'app', { stdio: 'inherit' })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_POD_NOT_RUNNING',
    });
    await waits;
    await runtime.stopSandbox(id);
    expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', apps: [{ exitCode: 137 }] });
  });
});

const openRuntime = (): Promise<Runtime> => bench.runtime('/usr/bin/crun');

it.each(kinds)('has a first process that reaps, with %s, and into which no app may look', async (_, sandbox) => {
  const pods = await openRuntime();
  const script = [
    '(sleep 0.03 & sleep 0.03 &); (sleep 0.01; :) & (sh -c "sleep 0.02 &"); sleep 0.15',
    'for p in /proc/[0-9]*/stat; do cat $p; done >/out/stats 2>/dev/null',
    'for at in root cwd exe; do readlink /proc/1/$at && echo seen; done >/out/seen 2>/dev/null',
    'kill -TERM 1; kill -KILL 1; sleep 0.02; ls -d /proc/1 >/out/lives',
  ];
  const { id, app } = await start(pods, script.join('; '), { sandbox });
  expect(await app.wait()).toBe(0);
  expect(processes.isAlive(initOf(id))).toBe(true);
  await pods.stopSandbox(id);
  const stats = bench.read('stats').trim().split('\n');
  // The second child of the app itself is its own to wait for.
  expect(stats.filter((stat) => /\) Z 1 /.test(stat))).toEqual([]);
  expect(stats.some((stat) => /^1 \(sleep\) S 0 /.test(stat))).toBe(true);
  expect([bench.read('seen'), bench.read('lives')]).toEqual(['', '/proc/1\n']);
});

/** What a program says when it is run by whom setpriv(1) makes of us. */
function refusal(...command: readonly string[]): string {
  const { status, stderr } = spawnSync('setpriv', command, { encoding: 'utf8' });
  expect(status).toBe(1);
  return stderr;
}

it.each(kinds)('has a first process without capabilities, with %s, that root alone may touch', async (_, sandbox) => {
  const pods = await openRuntime();
  const { id } = await start(pods, waiting, { sandbox });
  await until('waits');
  const init = initOf(id);
  const pid = String(init.pid);
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  expect(refusal(...nobody, 'kill', '-9', pid)).toContain('Operation not permitted');
  // As the root of an app without the right to trace or to administer resources.
  const powerless = ['--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
  // Over processes of a user namespace the host's root, who has made it, has this right in any case.
  if (sandbox.privateUsers !== true) {
    expect(refusal(...powerless, 'prlimit', '--pid', pid, '--cpu=1:1')).toContain('Operation not permitted');
  }
  expect(refusal(...powerless, 'readlink', '-v', `/proc/${pid}/root`)).toContain('Permission denied');
  expect(processes.isAlive(init)).toBe(true);
  const state = readFileSync(`/proc/${pid}/status`, 'utf8');
  const fields = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs'];
  const found = fields.map((field) => Number(new RegExp(`^${field}:\\s*(\\w+)$`, 'm').exec(state)?.[1]));
  expect(found).toEqual([0, 0, 0, 0, 0, 1]);
  await pods.stopSandbox(id, { force: true });
});

it.each(kinds)('shows an app with all capabilities nothing of the host by it, with %s', async (_, sandbox) => {
  const pods = await openRuntime();
  const insecure = { capabilities: true, paths: true, seccomp: true };
  const script = [
    'ls -A /proc/1/root/ >/out/root 2>&1; echo $? >/out/status; cat /proc/1/mountinfo >/out/mounts',
    'touch /proc/1/root/new 2>/dev/null || echo refused >/out/written',
    '{ cat </dev/null >>/proc/1/exe; } 2>/dev/null || echo refused >>/out/written',
    'for kind in net ipc uts pid mnt cgroup; do readlink /proc/1/ns/$kind; done >/out/ns; true',
  ];
  const { status } = await bench.run(pods, script.join('; '), { sandbox: { ...sandbox, insecure } });
  expect(status).toBe(0);
  expect(bench.read('written')).toBe('refused\nrefused\n');
  expect(bench.read('mounts')).toMatch(/^\S+ \S+ \S+ \/ \/ ro,\S* .*- tmpfs tmpfs \S+\n$/);
  if (sandbox.privateUsers === true) {
    expect(bench.read('status')).not.toBe('0\n');
    expect(bench.read('ns')).toBe('');
    return;
  }
  expect([bench.read('status'), bench.read('root')]).toEqual(['0\n', '']);
  const host = ['net', 'ipc', 'uts', 'pid', 'mnt', 'cgroup'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
  const found = bench.read('ns').trim().split('\n');
  expect(found).toHaveLength(host.length);
  expect(found.filter((namespace) => host.includes(namespace))).toEqual([]);
});

it('says what is missing on a host whose env cannot have SIGCHLD ignored', async () => {
  const host = createHost();
  const old = join(bench.dataDir, 'env');
  writeFileSync(old, '#!/bin/sh\necho "unrecognized option" >&2\nexit 125\n', { mode: 0o755 });
  const findExecutable = (name: string) => (name === 'env' ? old : host.findExecutable(name));
  const pods = await createRuntime({ dataDir: bench.dataDir, configDirs: [], host: { ...host, findExecutable } });
  const { id } = await bench.prepare(pods, 'true', { sandbox: shared });
  await expect(pods.createSandbox(id)).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_RUNTIME_FAILED',
    message: expect.stringContaining(`${old} does not know --ignore-signal, which that of coreutils 8.31`),
  });
});

it('keeps a sandbox for no longer than its first process lives', async () => {
  const pods = await openRuntime();
  const id = await startDetached(pods, waiting, true);
  await until('waits');
  expect((await pods.inspect(id)).state).toBe('running');
  processes.signal(initOf(id), 'SIGKILL');
  await expect.poll(async () => (await pods.inspect(id)).state, { timeout: 15_000 }).toBe('exited');
  expect((await pods.inspect(id)).apps[0]?.exitCode).toBe(137);
  expect(await collectAll(pods, { graceMs: 0 })).toContainEqual({ kind: 'removed', id });
});

it('is found by gc without a record of it, and with what an app left whose owner was killed', async () => {
  const pods = await openRuntime();
  const id = await startDetached(pods, 'sh -c "sleep 100 &"; exit 4', false);
  await expect.poll(async () => (await pods.inspect(id)).apps[0]?.exitCode, { timeout: 5_000 }).toBe(4);
  const init = initOf(id);
  const { init: _, ...run } = JSON.parse(readFileSync(runFile(id), 'utf8'));
  writeFileSync(runFile(id), JSON.stringify(run));
  expect(processes.isAlive(init)).toBe(true);
  expect(await collectAll(pods, { graceMs: 0 })).toContainEqual({ kind: 'removed', id });
  expect(processes.isAlive(init)).toBe(false);
});

it('takes no sockets of a service manager, since LISTEN_PID cannot be known', async () => {
  const pods = await openRuntime();
  const { id } = await bench.prepare(pods, 'true', { sandbox: shared });
  await pods.createSandbox(id);
  await pods.addApp(id, 'app');
  const fd = openSync('/dev/null', 'r');
  try {
    const listeners = { fds: [fd] };
    await expect(pods.startApp(id, 'app', { stdio: 'inherit', listeners })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_APP_INVALID',
      message: expect.stringContaining('LISTEN_PID'),
    });
  } finally {
    closeSync(fd);
    await pods.stopSandbox(id);
  }
});
