// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../src/eventually.ts';
import type { Finished } from '../src/rkt.ts';
import { machineWithStoredImages } from '../src/test-machine.ts';

/** What the original's functional tests looked at from within a pod; docs/conformance.md has the others. */
const insecure = '--insecure-options=image';
const host = machineWithStoredImages({ 'docker.io/library/redis': 'redis' });

interface Look {
  readonly pod?: readonly string[];
  readonly app?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a script in a pod without a network. */
function look(script: string, { pod = [], app = [], env }: Look = {}): Promise<Finished> {
  const args = [insecure, 'run', '--net=none', ...pod, 'docker://redis', '--exec=/bin/sh', ...app, '--', '-c', script];
  return host.rkt(args, env && { env: { ...process.env, ...env } });
}

describe('the environment of an app', () => {
  it('is the image’s, then of --set-env-file, --set-env and --environment, upon the caller’s with --inherit-env', async () => {
    const file = join(host.dir, 'variables');
    writeFileSync(file, '# comment\nB=file\nC=file\nD=file\n');
    const pod = ['--inherit-env', `--set-env-file=${file}`, '--set-env=C=flag', '--set-env=D=flag'];
    const run = await look('echo $A $B $C $D $REDIS_VERSION', {
      pod,
      app: ['--environment=D=app'],
      env: { A: 'caller', B: 'caller', REDIS_VERSION: 'caller' },
    });
    expect(run).toMatchObject({ status: 0, stdout: 'caller file flag app 7.0\n' });
    const without = await look('[ -z "$A" ] && echo $PATH $HOME $USER', {
      env: { A: 'caller', PATH: process.env['PATH'] },
    });
    expect(without.stdout).toMatch(/^\/usr\/local\/sbin:\S+ \/root root\n$/);
  });

  it('is the same for who enters', async () => {
    const started = host.start([
      ...[insecure, 'run', '--net=none', '--set-env=A=b c', 'docker://redis'],
      ...['--exec=/bin/sh', '--', '-c', 'echo ready; sleep 1000'],
    ]);
    await eventually(() => started.output.stdout.includes('ready') || undefined);
    const [{ name = '' } = {}]: readonly { name?: string }[] = JSON.parse(
      (await host.rkt(['list', '--format=json'])).stdout,
    );
    const entered = await host.rkt(['enter', name, '/bin/sh', '-c', 'echo $A; pwd']);
    expect(entered).toMatchObject({ status: 0, stdout: 'b c\n/data\n' });
    await host.rkt(['stop', '--force', name]);
    await started.finished;
  });
});

describe('what an app is run as', () => {
  it('is a user and groups by name or number, with what was added', async () => {
    const show = 'id -u; id -g; id -G';
    expect((await look(show, { app: ['--user=redis', '--group=redis'] })).stdout).toBe('999\n999\n999\n');
    const numbers = await look(show, { app: ['--user=1234', '--group=2345', '--supplementary-gids=77,78'] });
    expect(numbers.stdout).toBe('1234\n2345\n2345 77 78\n');
    expect((await look(show)).stdout).toBe('0\n0\n0\n');
  });

  it('is an executable by absolute path, by link or by PATH, in a directory that was asked for', async () => {
    const run = (exec: string, ...args: readonly string[]): Promise<Finished> =>
      host.rkt([
        insecure,
        'run',
        '--net=none',
        'docker://redis',
        `--exec=${exec}`,
        '--working-dir=/usr',
        '--',
        ...args,
      ]);
    for (const exec of ['/usr/bin/dash', '/bin/sh', 'sh', 'bin/sh']) {
      expect(await run(exec, '-c', 'pwd; exit 3'), exec).toMatchObject({ status: 3, stdout: '/usr\n' });
    }
  });
});

describe('what limits an app', () => {
  it('is memory, CPU and the score of who runs out of memory, in a cgroup that it cannot change', async () => {
    const first = (...paths: readonly string[]): string =>
      `cat ${paths.map((path) => `/sys/fs/cgroup/${path}`).join(' ')} 2>/dev/null`;
    const script = [
      first('memory/memory.limit_in_bytes', 'memory.max'),
      first('cpu/cpu.cfs_quota_us', 'cpu.max'),
      'cat /proc/self/oom_score_adj',
      // With version 1 of cgroups the directory of the hierarchies is the app's own, and means nothing.
      'd=/sys/fs/cgroup/memory; [ -d $d ] || d=/sys/fs/cgroup; mkdir $d/own 2>/dev/null || echo kept',
    ].join('; ');
    const run = await look(script, { app: ['--memory=64Mi', '--cpu=500m', '--oom-score-adj=777'] });
    expect(run.stdout).toMatch(/^67108864\n50000( 100000)?\n777\nkept\n$/);
  });

  it('is what capabilities are retained or removed, and none that is not asked for', async () => {
    const show = 'while read k v; do case $k in CapBnd:) echo $v;; esac; done </proc/self/status';
    const bounding = async (...app: readonly string[]): Promise<bigint> =>
      BigInt(`0x${(await look(show, { app })).stdout.trim()}`);
    const usual = await bounding();
    expect(await bounding('--caps-retain=CAP_CHOWN,CAP_KILL')).toBe(0b100001n);
    expect(await bounding('--caps-remove=CAP_CHOWN')).toBe(usual & ~1n);
    expect(await look('true', { app: ['--caps-retain=CAP_CHOWN', '--caps-remove=CAP_KILL'] })).toMatchObject({
      status: 254,
    });
  });

  it('is system calls that are removed, with the error that was asked for', async () => {
    const app = ['--seccomp=mode=remove,errno=ENOTSUP,mkdir,mkdirat'];
    const run = await look('mkdir /data/a 2>&1', { app });
    expect(run).toMatchObject({ status: 1, stdout: expect.stringMatching(/not supported/) });
  });

  it('is a root filesystem that cannot be written to', async () => {
    const run = await look('touch /a 2>/dev/null || echo kept; touch /data/b && echo written', {
      app: ['--readonly-rootfs=true'],
    });
    expect(run.stdout).toBe('kept\nwritten\n');
  });

  it('are settings of the kernel that can be read at most', async () => {
    const paths = ['/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/sys/kernel/uevent_helper'];
    const run = await look(
      `for f in ${paths.join(' ')}; do { echo x >$f; } 2>/dev/null && echo $f; done; cat /proc/kcore | wc -c`,
    );
    expect(run.stdout).toBe('0\n');
  });
});

describe('what an app sees of its pod', () => {
  it('is a host name of its own, or the one that was asked for', async () => {
    const own = await look('cat /proc/sys/kernel/hostname /etc/hostname');
    expect(own.stdout).toMatch(/^(rkt-[0-9a-f-]{36})\n\1\n$/);
    expect((await look('cat /proc/sys/kernel/hostname', { pod: ['--hostname=db'] })).stdout).toBe('db\n');
  });

  it('is hosts and name servers as they were asked for', async () => {
    const pod = ['--hosts-entry=10.1.2.3=db', '--dns=9.9.9.9', '--dns-search=a.example', '--dns-opt=ndots:3'];
    const run = await look('cat /etc/hosts /etc/resolv.conf', { pod });
    for (const line of ['10.1.2.3 db', 'nameserver 9.9.9.9', 'search a.example', 'options ndots:3']) {
      expect(run.stdout.replaceAll('\t', ' ')).toContain(line);
    }
  });

  it('is volumes, read-only ones and others, one below the other', async () => {
    const [outer, inner] = ['outer', 'inner'].map((name) => join(host.dir, name));
    for (const dir of [outer, inner]) mkdirSync(dir ?? '');
    const pod = [
      ...['--volume', `a,kind=host,source=${outer},readOnly=true`, '--mount', 'volume=a,target=/mnt/a'],
      ...['--volume', `b,kind=host,source=${inner}`, '--mount', 'volume=b,target=/mnt/b'],
      ...['--volume', 'c,kind=empty,mode=0711,uid=7', '--mount', 'volume=c,target=/mnt/b/c'],
    ];
    const run = await look('touch /mnt/a/x 2>/dev/null || echo kept; touch /mnt/b/y; stat -c "%u %a" /mnt/b/c', {
      pod,
    });
    expect(run).toMatchObject({ status: 0, stdout: 'kept\n7 711\n' });
    const [sameVolume] = [['--volume', 'a,kind=empty', '--volume', 'a,kind=empty']];
    expect(await look('true', { pod: sameVolume ?? [] })).toMatchObject({
      status: 254,
      stderr: expect.stringContaining('multiple volumes with name "a"'),
    });
  });
});

describe('a pod', () => {
  it('is exported by its image, and stays listed when that is named otherwise', async () => {
    const run = await look('exit 2');
    expect(run.status).toBe(2);
    const [{ name = '', state } = {}]: readonly { name?: string; state?: string }[] = JSON.parse(
      (await host.rkt(['list', '--format=json'])).stdout,
    );
    expect(state).toBe('exited');
    expect((await host.rkt(['status', name])).stdout).toMatch(/\nexited=true\napp-redis=2\n/);
    const manifest = JSON.parse((await host.rkt(['cat-manifest', name])).stdout);
    expect(manifest).toMatchObject({ acKind: 'PodManifest', apps: [{ name: 'redis' }] });
  });

  it('is prepared, expires, and is collected', async () => {
    const { stdout } = await host.rkt([insecure, 'prepare', '--net=none', 'docker://redis']);
    const uuid = stdout.trim();
    expect((await host.rkt(['status', uuid])).stdout).toContain('state=prepared\n');
    expect((await host.rkt(['gc', '--mark-only', '--expire-prepared=0s'])).stderr).toContain(`"${uuid}" to garbage`);
    expect((await host.rkt(['gc', '--grace-period=0s'])).stdout).toContain(`Garbage collecting pod "${uuid}"\n`);
    expect((await host.rkt(['status', uuid])).status).toBe(254);
  });
});
