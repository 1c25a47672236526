// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createHost } from '../../src/index.ts';
import { collectAll } from './bench.ts';
import { footprint, none } from './footprint.ts';
import { usePodBench } from './use-bench.ts';

const { bench, runtime } = await usePodBench();

/** Another process, which runs the pod as `rkt run` does. */
function startElsewhere(id: string, ...runtimePath: readonly string[]): ChildProcess {
  const program = new URL('./run-pod-process.ts', import.meta.url).pathname;
  const args = [...process.execArgv, program, bench.dataDir, id, ...runtimePath];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The same; by then the app runs. */
async function runElsewhere(id: string): Promise<ChildProcess> {
  const child = startElsewhere(id);
  if (child.stdout !== null) await once(child.stdout, 'data');
  return child;
}

const trapping = 'trap "exit 3" TERM; touch /out/ready; while :; do sleep 0.05; done';

it('is stopped by another process, which the one that runs it notices', async () => {
  const { id } = await bench.prepare(runtime, trapping);
  const child = await runElsewhere(id);
  expect((await runtime.inspect(id)).state).toBe('running');
  expect((await runtime.inspect(id)).pid).toBeGreaterThan(1);
  const ended = once(child, 'exit');
  await delay(200);
  await runtime.stopSandbox(id);
  expect(await ended).toEqual([3, null]);
  expect((await runtime.inspect(id)).apps[0]).toMatchObject({ state: 'exited', exitCode: 3 });
});

it('kills an app that does not heed the signal', async () => {
  const { id } = await bench.prepare(runtime, 'trap "" TERM; while :; do sleep 0.05; done');
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  const app = await runtime.startApp(id, 'app', { stdio: 'inherit' });
  await delay(100);
  await runtime.stopApp(id, 'app', { timeoutMs: 50 });
  expect(await app.wait()).toBe(137);
  await runtime.stopSandbox(id);
});

it('was never started when its app could not be executed', async () => {
  const { id } = await bench.prepare(runtime, '', { exec: ['/bin/absent'] });
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  const start = runtime.startApp(id, 'app', { stdio: 'inherit' });
  await expect(start).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND' });
  await runtime.stopSandbox(id);
  const pod = await runtime.inspect(id);
  expect([pod.state, pod.startedAt, pod.apps[0]?.startedAt]).toEqual(['exited', undefined, undefined]);
  await runtime.remove(id);
  await expect(runtime.inspect(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
});

it('removes an ephemeral pod like any other', async () => {
  const { id } = await bench.prepare(runtime, 'touch /file; mkdir -p /a/b/c; exit 4', { ephemeral: true });
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  const app = await runtime.startApp(id, 'app', { stdio: 'inherit' });
  expect(await app.wait()).toBe(4);
  await runtime.stopSandbox(id);
  const { dir } = await runtime.inspect(id);
  await runtime.remove(id);
  expect(existsSync(dir)).toBe(false);
});

it('sends the stop signal the image states', async () => {
  const annotations = [{ name: 'appc.io/docker/stopsignal', value: 'SIGUSR1' }];
  const { id } = await bench.prepare(runtime, 'trap "exit 9" USR1; while :; do sleep 0.05; done', {
    runtimeApp: { annotations },
  });
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  const app = await runtime.startApp(id, 'app', { stdio: 'inherit' });
  await delay(200);
  await runtime.stopApp(id, 'app');
  expect(await app.wait()).toBe(9);
  await runtime.stopSandbox(id);
});

it('goes on when the process that runs it is killed, can be entered and stopped', async () => {
  const { id } = await bench.prepare(runtime, trapping, { sandbox: { networks: [{ name: 'default' }] } });
  const child = await runElsewhere(id);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await delay(100);
  expect((await runtime.inspect(id)).state).toBe('running');
  await expect(runtime.remove(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_RUNNING' });
  expect(await collectAll(runtime, { graceMs: 0 })).toContainEqual({ kind: 'kept', id, reason: 'running' });
  expect(await runtime.enter(id, { command: ['/bin/sh', '-c', 'exit 5'], tty: false })).toBe(5);
  await runtime.stopSandbox(id);
  expect((await runtime.inspect(id)).state).toBe('exited');
  expect(footprint(bench.dataDir, [id])).toEqual(none);
});

it('is asked to stop although the process that started it died before writing it down', async () => {
  const { id, dir } = await bench.prepare(
    runtime,
    'trap "touch /out/asked; exit 3" TERM; while :; do sleep 0.05; done',
  );
  const child = await runElsewhere(id);
  await delay(200);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const status = join(dir, '../../run', id, 'apps/app/status.json');
  writeFileSync(status, JSON.stringify({ createdAt: JSON.parse(readFileSync(status, 'utf8')).createdAt }));
  const begun = performance.now();
  await runtime.stopSandbox(id);
  expect(performance.now() - begun).toBeLessThan(4_000);
  expect(existsSync(join(bench.out, 'asked'))).toBe(true);
  expect((await runtime.inspect(id)).state).toBe('exited');
});

it('is stopped although its runtime hangs, and whoever waited for that was killed', async () => {
  const { id } = await bench.prepare(runtime, 'true');
  const [runtimePath, pidFile] = [join(bench.out, 'runtime'), join(bench.out, 'runtime.pid')];
  // Stopped, as by somebody who is killed before he ends what he has stopped.
  const hang = `echo $$ >${pidFile}.new; mv ${pidFile}.new ${pidFile}; kill -STOP $$`;
  writeFileSync(runtimePath, `#!/bin/sh\ncase "$*" in *' run '*) ${hang};; esac\n`, { mode: 0o755 });
  const child = startElsewhere(id, runtimePath);
  await expect.poll(() => existsSync(pidFile), { timeout: 5_000 }).toBe(true);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect((await runtime.inspect(id)).state).toBe('running');
  await runtime.stopSandbox(id, { force: true });
  expect((await runtime.inspect(id)).state).toBe('exited');
  // Its lock is gone before it is.
  const hung = Number(readFileSync(pidFile, 'utf8'));
  await expect.poll(() => createHost().processes.identify(hung), { timeout: 5_000 }).toBeUndefined();
  await runtime.remove(id);
});

it('says that memory ran out', async () => {
  const isolators = [{ name: 'resource/memory', value: { limit: '16Mi' } }];
  const grow = 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done';
  const { pod, status } = await bench.run(runtime, grow, { app: { isolators } });
  expect([status, pod.apps[0]?.outOfMemory]).toEqual([137, true]);
  const { pod: other } = await bench.run(runtime, 'kill -9 $$', { app: { isolators } });
  expect(other.apps[0]?.outOfMemory).toBeUndefined();
});

it('is cleared away by gc when everything that watched it was killed', async () => {
  const { id } = await bench.prepare(runtime, trapping, { sandbox: { networks: [{ name: 'default' }] } });
  const child = await runElsewhere(id);
  const status = readFileSync(join(bench.dataDir, 'pods/run', id, 'apps/app/status.json'), 'utf8');
  const monitor = JSON.parse(status).monitor.pid;
  child.kill('SIGKILL');
  await once(child, 'exit');
  process.kill(monitor, 'SIGKILL');
  await expect.poll(async () => (await runtime.inspect(id)).state).toBe('orphaned');
  const events = await collectAll(runtime, { graceMs: 0 });
  expect(events).toContainEqual({ kind: 'marked', id, to: 'exited-garbage' });
  expect(events).toContainEqual({ kind: 'removed', id });
  await expect(runtime.inspect(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
});

it('has its network given back by gc when its directory was lost, but not while it runs in a foreground', async () => {
  const { id } = await bench.prepare(runtime, trapping, { sandbox: { networks: [{ name: 'default' }] } });
  const child = await runElsewhere(id);
  const dir = join(bench.dataDir, 'pods/run', id);
  const { monitor, process: app } = JSON.parse(readFileSync(join(dir, 'apps/app/status.json'), 'utf8'));
  rmSync(dir, { recursive: true });
  const collect = (): ReturnType<typeof collectAll> => collectAll(runtime, { graceMs: 0 });
  const kept = { kind: 'kept', id, reason: 'running' };
  expect(await collect()).toContainEqual(kept);
  const ended = once(child, 'exit');
  for (const pid of [child.pid, monitor.pid]) {
    process.kill(pid, 'SIGKILL');
    expect(await collect(), 'as long as the app lives').toContainEqual(kept);
  }
  expect(createHost().processes.identify(app.pid)).toBeDefined();
  expect(footprint(bench.dataDir, bench.ids).addresses).toHaveLength(1);
  process.kill(app.pid, 'SIGKILL');
  await ended;
  // What has been killed is in its cgroup for a moment longer.
  await expect.poll(collect, { timeout: 5000 }).toContainEqual({ kind: 'removed', id });
  await expect.poll(collect).not.toContainEqual({ kind: 'removed', id });
});

it('confines who enters exactly as the app is confined', async () => {
  const look =
    'grep -E "^(Cap|Seccomp|NoNewPrivs)" /proc/self/status; cat /proc/self/cgroup; for n in mnt net ipc uts pid cgroup; do readlink /proc/self/ns/$n; done';
  for (const runtimePath of ['/usr/sbin/runc', '/usr/bin/crun']) {
    const stated = await bench.runtime(runtimePath);
    const { id } = await bench.prepare(stated, `{ ${look}; } >/out/app; echo >/out/done; ${trapping}`);
    await stated.createSandbox(id);
    await stated.addApp(id, 'app');
    await stated.startApp(id, 'app', { stdio: 'inherit' });
    while (!existsSync(join(bench.out, 'done'))) await delay(10);
    const command = ['/bin/sh', '-c', `{ ${look}; } >/out/entered; ! mknod /tmp/sda b 8 0`];
    expect(await stated.enter(id, { command, tty: false })).toBe(0);
    expect(bench.read('entered')).toBe(bench.read('app'));
    expect(bench.read('entered')).toContain('Seccomp:\t2');
    await expect(stated.enter(id, { command: ['/bin/absent'], tty: false })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND',
    });
    await stated.stopSandbox(id, { force: true });
  }
});

it('runs an app again, and another one, in the same sandbox', async () => {
  const { id } = await bench.prepare(runtime, 'exit 2');
  await runtime.createSandbox(id);
  for (let round = 0; round < 2; round += 1) {
    await runtime.addApp(id, 'app');
    expect(await (await runtime.startApp(id, 'app', { stdio: 'inherit' })).wait()).toBe(2);
    await runtime.removeApp(id, 'app');
  }
  await expect(runtime.startApp(id, 'app', { stdio: 'inherit' })).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_APP_NOT_ADDED',
  });
  await runtime.stopSandbox(id);
  await expect(runtime.createSandbox(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_PREPARED' });
});

it('removes whatever an app has made of its root, however deep', async () => {
  const deep =
    'cd /tmp; i=0; while [ $i -lt 150 ]; do n=ddddddddddddddddddddddddddddddddddddddddddddd; mkdir $n && cd $n || exit 1; i=$((i+1)); done';
  const { pod, status } = await bench.run(runtime, deep.replace('mkdir $n', 'ls >/dev/null && mkdir $n'));
  expect([0, 1, 127]).toContain(status);
  await runtime.remove(pod.id);
  expect(readdirSync(join(bench.dataDir, 'pods', 'run'))).not.toContain(pod.id);
  await expect(runtime.resolve(pod.id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
});

it('leaves nothing when it is cancelled before it starts', async () => {
  const { id } = await bench.prepare(runtime, 'true');
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  await expect(runtime.createSandbox(id, { signal: controller.signal })).rejects.toThrow('enough');
  expect((await runtime.inspect(id)).state).toBe('prepared');
  await runtime.remove(id);
});

it('needs one file to tell what became of a pod that has ended, and releases it once', async () => {
  const { pod } = await bench.run(runtime, 'exit 6', { sandbox: { networks: [{ name: 'default' }] } });
  for (const name of ['apps', 'pod', 'sandbox.json']) rmSync(join(pod.dir, name), { recursive: true });
  expect((await runtime.inspect(pod.id)).apps).toMatchObject([{ name: 'app', state: 'exited', exitCode: 6 }]);
  // Whatever holds the lock for the moment: nothing runs any more.
  const holder = spawn('flock', ['--exclusive', join(pod.dir, 'lock'), 'cat'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  await delay(50);
  expect((await runtime.inspect(pod.id)).state).toBe('exited');
  holder.kill();
  await once(holder, 'exit');
  await runtime.stopSandbox(pod.id);
  await runtime.remove(pod.id);
});

it('leaves nothing of a pod whose preparation fails', async () => {
  const good = await bench.prepare(runtime, 'true');
  if (good.manifest === undefined) throw new Error('a prepared pod has a manifest');
  let dir = '';
  const failing = runtime.prepare({
    manifest: good.manifest,
    rootfs: { app: { type: 'directory', path: bench.image } },
    sandbox: { networks: [{ name: 'none' }] },
    onDirectory: async (made) => {
      dir = made;
      throw new Error('no lease');
    },
  });
  await expect(failing).rejects.toThrow('no lease');
  expect(dir).toContain('/pods/prepare/');
  for (const stage of ['embryo', 'prepare', 'garbage']) {
    expect(readdirSync(join(bench.dataDir, 'pods', stage))).not.toContain(basename(dir));
  }
  await runtime.remove(good.id);
});

it('expires prepared pods, and keeps what is young', async () => {
  const { id } = await bench.prepare(runtime, 'true');
  await collectAll(runtime, { graceMs: 60_000 });
  expect((await runtime.inspect(id)).state).toBe('prepared');
  const events = await collectAll(runtime, { expirePreparedMs: 0, graceMs: 60_000 });
  expect(events).toContainEqual({ kind: 'marked', id, to: 'garbage' });
  expect(events).toContainEqual({ kind: 'kept', id, reason: 'grace-period' });
  await collectAll(runtime, { graceMs: 0 });
  await expect(runtime.inspect(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
});
