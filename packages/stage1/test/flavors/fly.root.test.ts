// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import type { PodOptions } from '../pods/bench.ts';
import { collectAll } from '../pods/bench.ts';
import { usePodBench } from '../pods/use-bench.ts';

const { bench, runtime } = await usePodBench();

function fly(options: PodOptions = {}): PodOptions {
  return { ...options, sandbox: { flavor: 'fly', networks: [{ name: 'host' }], ...options.sandbox } };
}

const program = new URL('../pods/run-pod-process.ts', import.meta.url).pathname;

/** Another process, which runs the pod as `rkt run` does. */
function runElsewhere(id: string): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [...process.execArgv, program, bench.dataDir, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function status(name: string): string {
  const [, value = ''] = new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return value;
}

describe('an app of flavor fly', () => {
  it('has the capabilities, processes, name and devices of the host', async () => {
    const script = [
      'cat /proc/self/status >/out/status; hostname >/out/name; ls /dev >/out/dev; ls -d /sys/fs/cgroup >/out/sys',
      'readlink /proc/self/ns/pid /proc/self/ns/cgroup >/out/ns; cat /proc/1/comm >/out/init',
    ].join(';');
    expect((await bench.run(runtime, script, fly())).status).toBe(0);
    for (const name of ['CapPrm', 'CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp']) {
      expect(bench.read('status')).toMatch(new RegExp(`^${name}:\\s*${status(name)}$`, 'm'));
    }
    expect(bench.read('name')).toBe(readFileSync('/proc/sys/kernel/hostname', 'utf8'));
    expect(bench.read('ns')).toBe(`${readlinkSync('/proc/self/ns/pid')}\n${readlinkSync('/proc/self/ns/cgroup')}\n`);
    expect(bench.read('init')).toBe(readFileSync('/proc/1/comm', 'utf8'));
    expect(bench.read('dev')).toContain('null\n');
  });

  it('has nothing of the capabilities as another user than root', async () => {
    const app = { user: 'worker', group: '' };
    const show = 'while read k v; do case $k in CapPrm:|CapEff:|Uid:) echo $k $v;; esac; done </proc/self/status';
    chmodSync(bench.out, 0o777);
    await bench.run(runtime, `{ ${show}; } >/out/worker`, fly({ app }));
    const nothing = '0'.repeat(16);
    expect(bench.read('worker')).toBe(`Uid: 1234 1234 1234 1234\nCapPrm: ${nothing}\nCapEff: ${nothing}\n`);
  });

  it('has a /tmp of its own, and the name files of its pod', async () => {
    const marker = join(tmpdir(), `rkt-fly-${process.pid}`);
    writeFileSync(marker, '');
    try {
      const script =
        'ls -a /tmp >/out/tmp; cat /etc/hosts >/out/hosts; grep " /tmp tmpfs " /proc/self/mounts >/out/mounts';
      const sandbox = { hostsEntries: [{ ip: '10.9.8.7', names: ['somewhere'] }] };
      expect(
        (
          await bench.run(
            runtime,
            script,
            fly({ sandbox: { flavor: 'fly', networks: [{ name: 'host' }], ...sandbox } }),
          )
        ).status,
      ).toBe(0);
    } finally {
      rmSync(marker);
    }
    expect(bench.read('tmp')).toBe('.\n..\n');
    expect(bench.read('hosts')).toContain('10.9.8.7');
  });

  it('cannot have a program of the host loaded with a library of the image', async () => {
    writeFileSync(join(bench.image, 'evil.so'), 'no library\n');
    const environment = [{ name: 'LD_PRELOAD', value: '/evil.so' }];
    const { id } = await bench.prepare(runtime, '', fly({ exec: ['/bin/cat', '/etc/hostname'], app: { environment } }));
    const child = runElsewhere(id);
    const [complaints] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    rmSync(join(bench.image, 'evil.so'));
    // The dynamic linker complains wherever it tries to load what is none: in the app, and in nothing before it.
    expect(complaints.match(/evil\.so.*cannot be preloaded/g)).toHaveLength(1);
  });

  it('keeps what it mounts to itself', async () => {
    const before = readFileSync('/proc/self/mountinfo', 'utf8');
    const { id } = await bench.prepare(runtime, 'touch /out/ready; sleep 1000', fly());
    await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    await runtime.startApp(id, 'app', { stdio: 'inherit' });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
    await runtime.stopSandbox(id);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).toBe(before);
    rmSync(join(bench.out, 'ready'), { force: true });
  });

  it('is not given a volume where the host’s devices are, unless there is a place', async () => {
    const mounts = [{ volume: 'v', path: '/dev/rkt-nothing/here' }];
    const volumes = [{ name: 'v', kind: 'empty' as const }];
    const run = bench.run(runtime, 'true', fly({ runtimeApp: { mounts }, pod: { volumes } }));
    await expect(run).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_MOUNT_INVALID' });
    expect(existsSync('/dev/rkt-nothing')).toBe(false);
    const shm = { runtimeApp: { mounts: [{ volume: 'v', path: '/dev/shm' }] }, pod: { volumes } };
    expect((await bench.run(runtime, 'touch /dev/shm/rkt-fly-own', fly(shm))).status).toBe(0);
    expect(existsSync('/dev/shm/rkt-fly-own')).toBe(false);
  });

  it('is not led out of its root by links in a volume that another one is mounted below', async () => {
    const [source, outside] = ['volume', 'outside'].map((name) => mkdtempSync(join(tmpdir(), `rkt-fly-${name}-`)));
    symlinkSync(outside ?? '', join(source ?? '', 'sub'));
    try {
      const mounts = [
        { volume: 'v', path: '/v' },
        { volume: 'w', path: '/v/sub/new' },
      ];
      const volumes = [
        { name: 'v', kind: 'host' as const, source: source ?? '' },
        { name: 'w', kind: 'empty' as const },
      ];
      await bench.run(runtime, 'true', fly({ runtimeApp: { mounts }, pod: { volumes } }));
      expect(existsSync(join(outside ?? '', 'new'))).toBe(false);
    } finally {
      for (const directory of [source, outside]) rmSync(directory ?? '', { recursive: true });
    }
  });
});

describe('a pod of flavor fly', () => {
  it.each([
    [{ networks: [{ name: 'none' }] }, {}, 'has no network but the host'],
    [
      { networks: [{ name: 'host' }] },
      {
        ports: [
          {
            name: 'p',
            hostPort: 80,
            podPort: { name: 'p', protocol: 'tcp', port: 80, count: 1, socketActivated: false },
          },
        ],
      },
      'forwards no ports',
    ],
  ])('is refused what only a namespace could give: %j', async (sandbox, pod, said) => {
    const prepare = bench.prepare(runtime, 'true', fly({ sandbox: { flavor: 'fly', ...sandbox }, pod }));
    await expect(prepare).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_FLAVOR_UNABLE',
      message: expect.stringContaining(said),
    });
  });

  it('says what it leaves out', () => {
    const isolators = [{ name: 'resource/memory', value: { limit: '1M' } }];
    const app = { exec: ['/bin/true'], user: '0', group: '0', isolators };
    const manifest = {
      acVersion: '0.8.11',
      acKind: 'PodManifest',
      apps: [{ name: 'a', image: { id: 'sha512-0' }, app }],
    } as const;
    const sandbox = { flavor: 'fly', networks: [{ name: 'host' }], hostname: 'other' };
    expect(runtime.review({ manifest, sandbox })).toEqual([
      'flavor fly leaves the host its name: host name "other" is ignored',
      'flavor fly isolates nothing: isolator "resource/memory" of app "a" is ignored',
    ]);
    expect(runtime.review({ manifest, sandbox: { ...sandbox, flavor: 'oci' } })).toEqual([]);
  });

  it('is checked as its image has it, without our streams, and no longer than it may take', async () => {
    const test = [
      'CMD-SHELL',
      '[ ! -e /slow ] || exec sleep 61; echo checked; cat; readlink /proc/self/fd/2 >/out/stream',
    ];
    const value = JSON.stringify({ Test: test, Timeout: 4e8, Retries: 1 });
    const runtimeApp = { annotations: [{ name: 'appc.io/docker/healthcheck', value }] };
    const { id } = await bench.prepare(runtime, 'sleep 1000', fly({ runtimeApp }));
    await runtime.createSandbox(id);
    try {
      await runtime.addApp(id, 'app');
      const app = await runtime.startApp(id, 'app', { stdio: 'inherit' });
      expect(await runtime.checkHealth(id)).toMatchObject({ status: 'healthy', exitCode: 0 });
      expect(bench.read('stream')).toBe('/dev/null\n');
      await runtime.enter(id, { tty: false, quiet: true, command: ['/bin/sh', '-c', ': >/slow'] });
      const slow = await runtime.checkHealth(id);
      expect([slow?.status, slow?.exitCode]).toEqual(['unhealthy', undefined]);
      app.signal('SIGKILL');
      expect(await app.wait()).toBe(137);
    } finally {
      await runtime.stopSandbox(id);
    }
  });

  it('leaves no cgroup of its health check when it ends at once', async () => {
    const value = JSON.stringify({ Test: ['CMD', 'true'] });
    const runtimeApp = { annotations: [{ name: 'appc.io/docker/healthcheck', value }] };
    const { id } = await bench.prepare(runtime, 'true', fly({ runtimeApp }));
    await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    const app = await runtime.startApp(id, 'app', { stdio: 'inherit', healthCheck: ['/bin/true'] });
    await app.wait();
    await runtime.removeApp(id, 'app');
    await runtime.stopSandbox(id);
    // What a shell that was about to start would make anew.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(globSync([`/sys/fs/cgroup/rkt/${id}`, `/sys/fs/cgroup/*/rkt/${id}`])).toEqual([]);
  });

  it('is handed no sockets: it could not be told that they are its own', async () => {
    const { id } = await bench.prepare(runtime, 'true', fly());
    await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    const started = runtime.startApp(id, 'app', { stdio: 'inherit', listeners: { fds: [2] } });
    await expect(started).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_FLAVOR_UNABLE' });
    await runtime.stopSandbox(id);
  });

  it('refuses what run-prepared says otherwise, and remains as it was prepared', async () => {
    const { id } = await bench.prepare(runtime, 'true', fly());
    const refused = runtime.createSandbox(id, { spec: { networks: [{ name: 'default' }] } });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_FLAVOR_UNABLE' });
    expect((await runtime.inspect(id)).state).toBe('prepared');
    await runtime.createSandbox(id);
    await runtime.stopSandbox(id);
  });

  it("refuses private users: its root is the host's", async () => {
    const sandbox = { flavor: 'fly', networks: [{ name: 'host' }], privateUsers: true };
    await expect(bench.prepare(runtime, 'true', { sandbox })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_FLAVOR_UNABLE',
      message: 'a pod with private users needs another flavor than fly',
    });
  });

  it("refuses a PID namespace of the pod: its processes are the host's", async () => {
    const sandbox = { flavor: 'fly', networks: [{ name: 'host' }], pid: 'pod' } as const;
    await expect(bench.prepare(runtime, 'true', { sandbox })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_FLAVOR_UNABLE',
      message: 'a pod with a PID namespace for all its apps needs another flavor than fly',
    });
  });

  it('is never what who names no flavor gets', () => {
    expect(runtime.flavorTraits(undefined)).toBe(runtime.flavorTraits('oci'));
    expect(runtime.flavorTraits('fly')).toMatchObject({ onlyByName: true });
  });

  it('goes on when the process that runs it is killed; it is entered, spared and stopped with all it has started', async () => {
    const mark = `1${process.pid}77`;
    const { id } = await bench.prepare(
      runtime,
      `sleep ${mark} & trap "exit 3" TERM; while :; do sleep 0.05; done`,
      fly(),
    );
    const child = runElsewhere(id);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await runtime.inspect(id)).state).toBe('running');
    expect(await collectAll(runtime, { graceMs: 0 })).toContainEqual({ kind: 'kept', id, reason: 'running' });
    expect(await runtime.enter(id, { command: ['/bin/sh', '-c', 'exit 5'], tty: false })).toBe(5);
    await runtime.stopSandbox(id);
    expect((await runtime.inspect(id)).state).toBe('exited');
    expect(await collectAll(runtime, { graceMs: 0 })).toContainEqual({ kind: 'marked', id, to: 'exited-garbage' });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(id);
  });

  it('is orphaned when what keeps its lock is killed, too, or never came to be; it is asked to end all the same', async () => {
    const script = 'trap "touch /out/asked; exit 3" TERM; touch /out/waiting; while :; do sleep 0.05; done';
    for (const isOnRecord of [true, false]) {
      for (const name of ['asked', 'waiting']) rmSync(join(bench.out, name), { force: true });
      const { id } = await bench.prepare(runtime, script, fly());
      const child = runElsewhere(id);
      await once(child.stdout, 'data');
      await vi.waitFor(() => expect(existsSync(join(bench.out, 'waiting'))).toBe(true), 5_000);
      const file = join(bench.dataDir, 'pods/run', id, 'apps/app/status.json');
      const { createdAt, monitor } = JSON.parse(readFileSync(file, 'utf8'));
      child.kill('SIGKILL');
      await once(child, 'exit');
      process.kill(monitor.pid, 'SIGKILL');
      if (!isOnRecord) writeFileSync(file, JSON.stringify({ createdAt }));
      await vi.waitFor(async () => expect((await runtime.inspect(id)).state).toBe('orphaned'), 5_000);
      await runtime.stopSandbox(id);
      expect(existsSync(join(bench.out, 'asked'))).toBe(true);
      expect((await runtime.inspect(id)).state).toBe('exited');
    }
  });

  it('is cleared away by gc when its app was killed, too', async () => {
    const { id } = await bench.prepare(runtime, 'sleep 1000 & touch /out/up; sleep 1000', fly());
    const child = runElsewhere(id);
    await once(child.stdout, 'data');
    await vi.waitFor(() => expect(existsSync(join(bench.out, 'up'))).toBe(true), 5_000);
    const { pid = 0 } = await runtime.inspect(id);
    child.kill('SIGKILL');
    await once(child, 'exit');
    process.kill(pid, 'SIGKILL');
    // The process that keeps the lock looks once a second. What the app has started goes on.
    await vi.waitFor(async () => expect((await runtime.inspect(id)).state).toBe('orphaned'), 5_000);
    expect(await collectAll(runtime, { graceMs: 0 })).toContainEqual({ kind: 'marked', id, to: 'exited-garbage' });
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('shares the terminal of whoever runs it', async () => {
    const script = '[ -t 0 ] && [ -t 1 ] && exec stty size >/out/size </dev/tty';
    const { id } = await bench.prepare(runtime, script, fly());
    const run = [process.execPath, ...process.execArgv, program, bench.dataDir, id].map((word) => `'${word}'`);
    const child = spawn('script', ['-qec', `stty rows 33 cols 101; exec ${run.join(' ')}`, '/dev/null'], {
      stdio: 'ignore',
    });
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(bench.read('size')).toBe('33 101\n');
  });
});
