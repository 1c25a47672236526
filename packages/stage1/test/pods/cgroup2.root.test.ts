// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectAll } from './bench.ts';
import { usePodBench } from './use-bench.ts';

const { bench, runtime } = await usePodBench();

/**
 * Runs a program where /sys/fs/cgroup is a tree of version 2 and nothing else. On a host of version 1 it has no controllers,
 * so nothing is limited there; everything else is as on a host of version 2.
 */
function onVersion2(program: string, ...args: readonly string[]): string {
  const script = [
    'mount --make-rprivate /',
    'umount --recursive --lazy /sys/fs/cgroup',
    'mount -t cgroup2 none /sys/fs/cgroup',
    'exec "$@"',
  ];
  const path = new URL(program, import.meta.url).pathname;
  const command = [process.execPath, ...process.execArgv, path, ...args];
  const all = ['--mount', '--', '/bin/sh', '-ec', script.join('\n'), 'sh', ...command];
  const { stdout, stderr, status } = spawnSync('unshare', all, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** crun needs more locked memory there than may be had in every virtual machine and container; here it is about us. */
const runc = '/usr/sbin/runc';

describe('on a host with cgroups of version 2 alone', () => {
  it('a pod runs in the foreground, and nothing is left', async () => {
    const look = 'ls /sys/fs/cgroup/cgroup.procs >/out/mounted; cat /proc/self/cgroup >/out/own';
    const { id } = await bench.prepare(runtime, look);
    expect(onVersion2('./run-pod-process.ts', bench.dataDir, id, runc)).toBe('started\n');
    expect(bench.read('mounted')).toBe('/sys/fs/cgroup/cgroup.procs\n');
    expect(bench.read('own')).toMatch(/^0::\/$/m);
    expect((await runtime.inspect(id)).apps[0]?.exitCode).toBe(0);
    await runtime.remove(id);
  });

  it('a detached pod has cgroups of its own, is found by them, and nothing is left', async () => {
    const { id } = await bench.prepare(runtime, 'trap "exit 3" TERM; while :; do sleep 0.05; done');
    const work = (what: string): string =>
      onVersion2('./killed-process.ts', bench.dataDir, what, '0', 'rkt', id, runc).replace(/^0 [\d,]* /, '');
    expect(work('detach')).toBe('done\n');
    const file = join(bench.dataDir, 'pods/run', id, 'apps/app/status.json');
    const { process: app, monitor, ...record } = JSON.parse(readFileSync(file, 'utf8'));
    const cgroupOf = (pid: number): string => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
    expect(cgroupOf(app.pid)).toBe(`/rkt/${id}/app`);
    expect(cgroupOf(monitor.pid)).toBe('/rkt/monitors');
    process.kill(monitor.pid, 'SIGKILL');
    // Now only the cgroup says which processes are the app's.
    writeFileSync(file, JSON.stringify(record));
    expect(work('stop')).toBe('done\n');
    expect((await runtime.inspect(id)).state).toBe('exited');
    expect(await collectAll(runtime, { graceMs: 0 })).toContainEqual({ kind: 'removed', id });
  });
});
