// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCgroups } from '../../src/host/cgroups.ts';

/** Directories that look like cgroups; unlike the kernel's they have files that are in the way of rmdir(2). */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rkt-cgroups-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function cgroup(path: string, pids: readonly number[] = []): void {
  mkdirSync(join(root, path), { recursive: true });
  const parent = dirname(path);
  if (parent !== '.' && !existsSync(join(root, parent, 'cgroup.procs'))) cgroup(parent);
  writeFileSync(join(root, path, 'cgroup.procs'), pids.map((pid) => `${pid}\n`).join(''));
}

function empty(path: string): void {
  mkdirSync(join(root, path), { recursive: true });
}

describe('a host with version 2 alone', () => {
  beforeEach(() => {
    cgroup('.');
    writeFileSync(join(root, 'cgroup.controllers'), 'cpuset cpu io memory pids\n');
  });

  it('is one tree, with nothing to be hidden from a runtime', () => {
    empty('unified');
    cgroup('unified');
    expect(createCgroups(root).hybridMount).toBeUndefined();
  });

  it('has the processes of a cgroup and of those below it, each once', () => {
    cgroup('rkt/id', []);
    cgroup('rkt/id/app', [11, 12]);
    cgroup('rkt/id/app/inner', [12, 13]);
    cgroup('rkt/id/health.app', [14]);
    cgroup('rkt/other', [99]);
    const cgroups = createCgroups(root);
    expect([...cgroups.processes('rkt/id')].sort()).toEqual([11, 12, 13, 14]);
    expect(cgroups.processes('rkt/id/app')).toEqual([11, 12, 13]);
    expect(cgroups.processes('rkt/none')).toEqual([]);
  });

  it('removes a cgroup with those below it, and its parent when that is empty', () => {
    empty('rkt/id/app/inner');
    empty('rkt/id/health.app');
    createCgroups(root).remove('rkt/id');
    expect(existsSync(join(root, 'rkt'))).toBe(false);
    createCgroups(root).remove('rkt/id');
  });

  it('leaves what has members, and the parent that others are in', () => {
    empty('rkt/id/app');
    cgroup('rkt/other', [99]);
    createCgroups(root).remove('rkt/id');
    createCgroups(root).remove('rkt/other');
    expect([existsSync(join(root, 'rkt/id')), existsSync(join(root, 'rkt/other'))]).toEqual([false, true]);
  });

  it('takes processes out to the root, and those of other cgroups it leaves alone', () => {
    cgroup('rkt/monitors', [21]);
    createCgroups(root).leave('rkt/monitors', [21]);
    expect(readFileSync(join(root, 'cgroup.procs'), 'utf8')).toBe('21');
    createCgroups(root).leave('rkt/monitors', [22]);
    expect(readFileSync(join(root, 'cgroup.procs'), 'utf8')).toBe('21');
  });

  it('executes a command in a cgroup that is made for it', () => {
    const [file = '', ...args] = createCgroups(root).within('rkt/monitors', ['/bin/echo', 'one two', '--']);
    const { stdout, stderr, status } = spawnSync(file, args, { encoding: 'utf8' });
    expect([stdout, stderr, status]).toEqual(['one two --\n', '', 0]);
    expect(readFileSync(join(root, 'rkt/monitors/cgroup.procs'), 'utf8')).toBe('0\n');
  });

  it('executes a command all the same where cgroups cannot be made', () => {
    writeFileSync(join(root, 'rkt'), 'no directory');
    const [file = '', ...args] = createCgroups(root).within('rkt/monitors', ['/bin/echo', 'on']);
    expect(spawnSync(file, args, { encoding: 'utf8' })).toMatchObject({ stdout: 'on\n', stderr: '', status: 0 });
  });
});

describe('a host with version 1', () => {
  beforeEach(() => {
    for (const name of ['memory', 'cpu,cpuacct', 'cpuset']) cgroup(name);
    symlinkSync('cpu,cpuacct', join(root, 'cpu'));
  });

  it('has something to be hidden where a tree of version 2 is mounted beside', () => {
    expect(createCgroups(root).hybridMount).toBeUndefined();
    cgroup('unified');
    expect(createCgroups(root).hybridMount).toBe(join(root, 'unified'));
  });

  it('has the processes of every hierarchy, each of which is looked at once', () => {
    cgroup('memory/rkt/id/app', [11]);
    cgroup('cpu,cpuacct/rkt/id/app', [11, 12]);
    cgroup('unified/rkt/id/app', [13]);
    expect([...createCgroups(root).processes('rkt/id')].sort()).toEqual([11, 12, 13]);
  });

  it('removes from every hierarchy', () => {
    for (const name of ['memory', 'cpu,cpuacct', 'cpuset']) empty(`${name}/rkt/id/app`);
    createCgroups(root).remove('rkt/id');
    for (const name of ['memory', 'cpu', 'cpuset']) expect(existsSync(join(root, name, 'rkt'))).toBe(false);
  });

  it('gives a cpuset what its parent has before somebody enters it', () => {
    for (const [path, cpus] of [
      ['cpuset', '0-3\n'],
      ['cpuset/rkt', ''],
      ['cpuset/rkt/monitors', ''],
    ] as const) {
      cgroup(path);
      writeFileSync(join(root, path, 'cpuset.cpus'), cpus);
      writeFileSync(join(root, path, 'cpuset.mems'), cpus && '0\n');
    }
    const [file = '', ...args] = createCgroups(root).within('rkt/monitors', ['/bin/true']);
    expect(spawnSync(file, args).status).toBe(0);
    expect(readFileSync(join(root, 'cpuset/rkt/monitors/cpuset.cpus'), 'utf8')).toBe('0-3\n');
    expect(readFileSync(join(root, 'cpuset/rkt/monitors/cpuset.mems'), 'utf8')).toBe('0\n');
    for (const name of ['memory', 'cpu', 'cpuset']) {
      expect(readFileSync(join(root, name, 'rkt/monitors/cgroup.procs'), 'utf8')).toBe('0\n');
    }
  });
});

it('keeps what is made for one pod while others come and go, the last of which takes the parent with it', async () => {
  empty('cpu');
  empty('unified');
  const pod = (id: string): Promise<readonly unknown[]> => {
    const program = `
      import { mkdirSync } from 'node:fs';
      import { createCgroups } from ${JSON.stringify(new URL('../../src/host/cgroups.ts', import.meta.url))};
      const cgroups = createCgroups(${JSON.stringify(root)});
      for (let run = 0; run < 300; run++) {
        cgroups.make('rkt/${id}');
        for (const hierarchy of ['cpu', 'unified']) mkdirSync(${JSON.stringify(root)} + '/' + hierarchy + '/rkt/${id}/app');
        cgroups.remove('rkt/${id}');
      }`;
    const args = ['--no-warnings', '--input-type=module', '--eval', program];
    return once(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit');
  };
  expect(await Promise.all([pod('one'), pod('two'), pod('three')])).toEqual(Array(3).fill([0, null]));
  expect([existsSync(join(root, 'cpu/rkt')), existsSync(join(root, 'unified/rkt'))]).toEqual([false, false]);
});

it('makes none where the host shows its cgroups read-only', () => {
  writeFileSync(join(root, 'cgroup.controllers'), 'pids\n');
  writeFileSync(join(root, 'rkt'), '');
  createCgroups(root).make('rkt/id');
  expect(existsSync(join(root, 'rkt/id'))).toBe(false);
});

describe('killing what is in a cgroup', () => {
  let child: ChildProcess;
  let end: Promise<unknown[]>;
  beforeEach(() => {
    child = spawn('sleep', ['100'], { stdio: 'ignore' });
    end = once(child, 'exit');
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    await end;
  });

  it('is left to the kernel where it can do so at once', () => {
    cgroup('.');
    writeFileSync(join(root, 'cgroup.controllers'), 'pids\n');
    cgroup('rkt/id', [child.pid ?? 0]);
    writeFileSync(join(root, 'rkt/id/cgroup.kill'), '');
    createCgroups(root).kill('rkt/id');
    expect(readFileSync(join(root, 'rkt/id/cgroup.kill'), 'utf8')).toBe('1');
    expect(child.signalCode).toBeNull();
  });

  it('is done one by one otherwise, below it, too, and leaves nobody frozen', async () => {
    cgroup('memory/rkt/id');
    cgroup('freezer/rkt/id');
    cgroup('freezer/rkt/id/app', [child.pid ?? 0]);
    writeFileSync(join(root, 'freezer/rkt/id/freezer.state'), '');
    createCgroups(root).kill('rkt/id', { frozen: true });
    expect(await end).toEqual([null, 'SIGKILL']);
    expect(readFileSync(join(root, 'freezer/rkt/id/freezer.state'), 'utf8')).toBe('THAWED');
  });

  it('does not mind that there is no such cgroup', () => {
    cgroup('memory/rkt');
    createCgroups(root).kill('rkt/none');
  });
});
