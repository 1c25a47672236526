// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { settledHostState } from '../src/host-state.ts';
import { ask } from '../src/tcp.ts';
import { machineWithStoredImages } from '../src/test-machine.ts';

const insecure = '--insecure-options=image';
const host = machineWithStoredImages({ 'docker.io/library/redis': 'redis' });

afterEach(() => {
  expect(statSync('/dev/null')).toMatchObject({ uid: 0, gid: 0, mode: 0o20666 });
});

interface Users {
  readonly first: number;
  readonly last: number;
  readonly pid: number;
}

async function usersOf(id: string): Promise<Users> {
  const { stdout } = await host.rkt(['status', id]);
  const [, first, count] = /^private-users=(\d+):(\d+)$/m.exec(stdout) ?? [];
  const pid = /^pid=(\d+)$/m.exec(stdout)?.[1];
  return { first: Number(first), last: Number(first) + Number(count) - 1, pid: Number(pid) };
}

async function running(): Promise<string> {
  const pods: readonly { readonly name: string; readonly state: string }[] =
    JSON.parse((await host.rkt(['list', '--format=json'])).stdout) ?? [];
  return pods.find(({ state }) => state === 'running')?.name ?? '';
}

function ranges(): readonly string[] {
  const dir = join(host.dataDir, 'id-ranges');
  return existsSync(dir) ? readdirSync(dir).filter((name) => name !== 'lock') : [];
}

/** Real, effective, saved and file system user of a process, as the host counts. */
function uidsOf(pid: number): readonly number[] {
  const [, uids = ''] = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return uids.split('\t').map(Number);
}

const shell = ['docker://redis', '--exec=/bin/sh', '--', '-c'];
const plain = [insecure, 'run', '--quiet', '--private-users', '--net=none'];

it('serves as nobody of the host, and as somebody else in every pod', async () => {
  const ids: string[] = [];
  for (const port of [16380, 16381]) {
    const flags = ['-d', '--quiet', '--private-users', `--port=6379-tcp:${port}`];
    const { status, stdout, stderr } = await host.rkt([insecure, 'run', ...flags, 'docker://redis']);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    ids.push(stdout.trim());
    await eventually(async () => (await ask('127.0.0.1', port, 'PING\r\n')) === '+PONG' || undefined);
  }
  const [a, b] = [await usersOf(ids[0] ?? ''), await usersOf(ids[1] ?? '')];
  expect(a.last < b.first || b.last < a.first).toBe(true);
  for (const { first, last, pid } of [a, b]) {
    for (const uid of uidsOf(pid)) expect(uid >= first && uid <= last).toBe(true);
    expect(first).toBeGreaterThanOrEqual(0x80000);
  }
  expect(await host.rkt(['enter', ids[0] ?? '', 'redis-cli', 'ping'])).toMatchObject({ status: 0, stdout: 'PONG\n' });
  // What one writes, the other may not read: their files are different users' on the disk.
  expect(ranges().map(Number).toSorted()).toEqual([a.first, b.first].toSorted());
  for (const id of ids) expect((await host.rkt(['stop', id])).status).toBe(0);
  expect(settledHostState()).toEqual(host.before);
  expect(ranges()).toHaveLength(2);
  expect((await host.rkt(['gc', '--grace-period=0s'])).status).toBe(0);
  expect(ranges()).toEqual([]);
});

it('writes to volumes of the host as nobody, where anybody may', async () => {
  const [open, closed] = ['open', 'closed'].map((name) => join(host.dir, name));
  for (const dir of [open, closed]) mkdirSync(dir ?? '');
  chmodSync(open ?? '', 0o1777);
  const volumes = [`--volume=open,kind=host,source=${open}`, `--volume=closed,kind=host,source=${closed}`];
  const mounts = ['--mount=volume=open,target=/open', '--mount=volume=closed,target=/closed'];
  const script = 'touch /open/file; cp /bin/sh /open/sh; chmod 4755 /open/sh; touch /closed/file; id -u';
  const { status, stdout, stderr } = await host.rkt([...plain, ...volumes, ...mounts, ...shell, script]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: '0\n' });
  expect(stderr).toContain('Permission denied');
  expect(readdirSync(closed ?? '')).toEqual([]);
  const first = Number(ranges()[0]);
  // An executable that makes others its owner makes them nobody.
  expect(['file', 'sh'].map((name) => statSync(join(open ?? '', name)).uid)).toEqual([first, first]);
});

it('keeps devices and mounts from a root that is allowed everything', async () => {
  const all = [`${insecure},all-run`, 'run', '--quiet', '--private-users', '--net=none'];
  const script = [
    'mknod /disk b 254 0 2>/dev/null && echo made',
    'echo x 2>/dev/null >/proc/sys/kernel/hostname && echo "own name"',
    'echo 1 2>/dev/null >/proc/sys/kernel/sysrq && echo "setting of the host"',
    'for procs in /sys/fs/cgroup/*/cgroup.procs; do echo 0 2>/dev/null >$procs && echo cgroup; done',
    'chmod 0 /dev/null 2>/dev/null && echo null',
    'kill -0 -1 2>/dev/null; ls /proc | grep -c "^[0-9]*$"',
  ].join('; ');
  const { stdout } = await host.rkt([...all, ...shell, script]);
  for (const word of ['made', 'setting', 'cgroup', 'null']) expect(stdout).not.toContain(word);
  // The shell and what it runs: nobody else's processes.
  expect(Number(stdout.trim().split('\n').at(-1))).toBeLessThan(6);
});

it.each([['host'], ['default']])('runs what was prepared, with network %s', async (network) => {
  const flags = ['--private-users', '--quiet', `--net=${network}`];
  const { stdout } = await host.rkt([insecure, 'prepare', ...flags, ...shell, 'cat /proc/self/uid_map; exit 6']);
  const id = stdout.trim();
  // Nobody is taken for what may never run.
  expect(ranges()).toEqual([]);
  const ran = await host.rkt(['run-prepared', id]);
  expect(ran.status).toBe(6);
  const { first, last } = await usersOf(id);
  expect(ran.stdout.trim().split(/\s+/).map(Number)).toEqual([0, first, last - first + 1]);
  expect((await host.rkt(['rm', id])).status).toBe(0);
  expect(ranges()).toEqual([]);
});

/** Until it is asked to end: the first process of a PID namespace heeds no signal that it has not asked for. */
const endless = 'trap "exit 0" TERM; while :; do sleep 0.05; done';

it('gives apps of a mutable pod the same users', async () => {
  const sandbox = host.start(['app', 'sandbox', '--private-users', '--net=none']);
  await eventually(() => sandbox.output.stdout.includes('\n') || undefined);
  const id = sandbox.output.stdout.trim();
  const { first } = await usersOf(id);
  const apps = [];
  for (const name of ['one', 'two']) {
    const app = [`--name=${name}`, '--exec=/bin/sh', '--', '-c', `echo ${name} is up; ${endless}`];
    expect(await host.rkt([insecure, 'app', 'add', id, 'docker://redis', ...app])).toMatchObject({ status: 0 });
    const started = host.start(['app', 'start', `--app=${name}`, id]);
    await eventually(() => started.output.stdout.includes(`${name} is up`) || undefined);
    apps.push(started);
  }
  expect(uidsOf((await usersOf(id)).pid)[0]).toBe(first);
  const inside = ['app', 'exec', '--app=two', id, '/bin/sh', '-c', 'id -u; touch /dev/shm/file'];
  expect(await host.rkt(inside)).toMatchObject({ status: 0, stdout: '0\n' });
  expect(await host.rkt(['app', 'stop', '--app=one', id])).toMatchObject({ status: 0 });
  await apps[0]?.finished;
  expect(await host.rkt(['app', 'rm', '--app=one', id])).toMatchObject({ status: 0 });
  expect((await host.rkt(['stop', '--force', id])).status).toBe(0);
  await apps[1]?.finished;
  expect((await sandbox.finished).status).toBe(0);
});

it('loses no users when rkt is killed, before, while and after its pod runs', async () => {
  const run = host.start([...plain, ...shell, 'echo up; sleep 60']);
  await eventually(() => run.output.stdout.includes('up') || undefined);
  run.child.kill('SIGKILL');
  await once(run.child, 'exit');
  const id = await running();
  const { pid, first } = await usersOf(id);
  expect(uidsOf(pid)[0]).toBe(first);
  expect((await host.rkt(['gc', '--grace-period=0s'])).status).toBe(0);
  expect(ranges()).toEqual([String(first)]);
  expect((await host.rkt(['stop', '--force', id])).status).toBe(0);
  // At whatever point it is killed: the steps of a start take some 100 ms together.
  for (const delay of [60, 90, 120, 150, 180, 210]) {
    const killed = host.start([...plain, ...shell, 'sleep 60']);
    setTimeout(() => killed.child.kill('SIGKILL'), delay);
    await once(killed.child, 'exit');
    const left = await running();
    if (left !== '') expect((await host.rkt(['stop', '--force', left])).status).toBe(0);
  }
  await eventually(async () => {
    await host.rkt(['gc', '--grace-period=0s', '--expire-prepared=0s']);
    return ranges().length === 0 || undefined;
  });
});

it('says which users there are when an app wants to be another', async () => {
  const { status, stderr } = await host.rkt([...plain, 'docker://redis', '--user=70000', '--group=0']);
  expect(status).toBe(254);
  expect(stderr).toContain('user or group 70000 is out of range: a pod with private users has 0 to 65535');
});
