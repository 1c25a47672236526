// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { IdRange, Pod, Runtime, StdioMode } from '../../src/index.ts';
import { collectAll, createPodBench, type PodBench, type PodOptions } from './bench.ts';
import { footprint, none } from './footprint.ts';
import { makeSmallErofs } from './small-erofs.ts';

let bench: PodBench;
beforeAll(() => {
  bench = createPodBench();
  chmodSync(bench.out, 0o1777);
});
beforeEach(() => {
  // What users of another pod have made there is not for those of the next.
  for (const name of readdirSync(bench.out)) rmSync(join(bench.out, name));
});
afterEach(() => {
  expect(footprint(bench.dataDir, bench.ids)).toEqual(none);
  // Runtimes have given it to the pod's root, who could then close it to the whole host.
  expect(statSync('/dev/null')).toMatchObject({ uid: 0, gid: 0, mode: 0o20666 });
});
afterAll(() => bench.remove());

const own = { sandbox: { privateUsers: true } } as const;

function usersOf({ users }: Pod): IdRange {
  if (users === undefined) throw new Error('the pod has no users of its own');
  return users;
}

const ranges = (): readonly string[] =>
  readdirSync(join(bench.dataDir, 'id-ranges')).filter((name) => /^\d+$/.test(name));

async function until(condition: () => boolean): Promise<void> {
  for (let left = 200; !condition() && left > 0; left -= 1) await delay(25);
}

describe.each([['/usr/sbin/runc'], ['/usr/bin/crun']])('a pod with users of its own on %s', (runtimePath) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await bench.runtime(runtimePath);
  });

  it('is root inside, and nobody on the host', async () => {
    const script = 'id -u >/out/id; cat /proc/self/uid_map /proc/self/gid_map >/out/maps; touch /out/file /file; true';
    const { status, pod } = await bench.run(runtime, script, own);
    expect(status).toBe(0);
    const { first, count } = usersOf(pod);
    expect([count, bench.read('id')]).toEqual([65_536, '0\n']);
    expect(bench.read('maps').trim().split(/\s+/)).toEqual(['0', String(first), '65536', '0', String(first), '65536']);
    for (const path of [join(bench.out, 'file'), join(pod.dir, 'overlay/app/upper/file')]) {
      expect([statSync(path).uid, statSync(path).gid]).toEqual([first, first]);
    }
  });

  it('has its image’s owners, changes them within its range alone, and keeps them from the host', async () => {
    const script =
      'stat -c "%n %u:%g" /data /data/sub/file /bin/sh >/out/owners; echo more >>/data/sub/file; stat -c "%u:%g" /data/sub/file >>/out/owners';
    const { status, pod } = await bench.run(runtime, script, own);
    expect(status).toBe(0);
    expect(bench.read('owners')).toBe('/data 11:12\n/data/sub/file 13:14\n/bin/sh 0:0\n13:14\n');
    const copied = statSync(join(pod.dir, 'overlay/app/upper/data/sub/file'));
    const { first } = usersOf(pod);
    expect([copied.uid, copied.gid]).toEqual([first + 13, first + 14]);
    expect(readFileSync(join(bench.image, 'data/sub/file'), 'utf8')).toBe('from the image\n');
  });

  it('keeps owners of what a volume starts with and states', async () => {
    const app = {
      mountPoints: [
        { name: 'data', path: '/data' },
        { name: 'stated', path: '/stated' },
        { name: 'new', path: '/new' },
      ],
    };
    const volumes = [
      { name: 'stated', kind: 'empty' as const, uid: 21, gid: 22 },
      { name: 'new', kind: 'empty' as const },
    ];
    const script = 'stat -c "%n %u:%g" /data /data/sub/file /stated /new >/out/volumes && touch /new/file';
    const { status, pod } = await bench.run(runtime, script, { ...own, app, pod: { volumes } });
    expect(status).toBe(0);
    expect(bench.read('volumes')).toBe('/data 11:12\n/data/sub/file 13:14\n/stated 21:22\n/new 0:0\n');
    expect(statSync(join(pod.dir, 'volumes/new/file')).uid).toBe(usersOf(pod).first);
  });

  it('may do nothing to files of the host’s root', async () => {
    chmodSync(bench.out, 0o755);
    try {
      const script = '! touch /out/refused && stat -c "%u" /out >/dev/shm/owner && grep -q 65534 /dev/shm/owner';
      expect((await bench.run(runtime, script, own)).status).toBe(0);
      expect(existsSync(join(bench.out, 'refused'))).toBe(false);
    } finally {
      chmodSync(bench.out, 0o1777);
    }
  });

  it('makes no device, mounts none, and changes no setting of the host, whatever else it is allowed', async () => {
    const script = [
      '! mknod /tmp/disk b 254 0',
      '! sh -c "echo 1 >/proc/sys/kernel/panic"',
      '! sh -c "echo x >/sys/kernel/uevent_helper"',
      'for dir in /sys/fs/cgroup /sys/fs/cgroup/*; do test ! -e $dir/cgroup.procs || ! mkdir $dir/mine || exit 9; done',
      '! sh -c "echo 0 >/proc/sys/vm/drop_caches"',
      'stat -c %u /proc/1/environ >/out/proc',
      'hostname changed && hostname >>/out/proc',
    ].join(' && ');
    const insecure = { capabilities: true, paths: true, seccomp: true };
    const { status } = await bench.run(runtime, script, { sandbox: { privateUsers: true, insecure } });
    expect(status).toBe(0);
    expect(bench.read('proc')).toBe('0\nchanged\n');
  });

  it.each([['default'], ['none'], ['host']])(
    'is nobody on the host also while it runs, on network %s',
    async (name) => {
      const script = `cat /sys/class/net/lo/operstate >/out/net-${name} && sleep 60`;
      const { id } = await bench.prepare(runtime, script, { sandbox: { privateUsers: true, networks: [{ name }] } });
      await runtime.createSandbox(id);
      try {
        await runtime.addApp(id, 'app');
        const app = await runtime.startApp(id, 'app', { stdio: 'inherit' });
        const { first } = usersOf(await runtime.inspect(id));
        const status = readFileSync(`/proc/${app.pid}/status`, 'utf8');
        expect(status).toContain(`Uid:\t${first}\t${first}\t${first}\t${first}\n`);
        for (const kind of ['user', 'ipc', 'uts', 'mnt', 'pid', 'cgroup', ...(name === 'host' ? [] : ['net'])]) {
          expect(readlinkSync(`/proc/${app.pid}/ns/${kind}`)).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
        }
        await until(() => existsSync(join(bench.out, `net-${name}`)));
        expect(await runtime.enter(id, { command: ['/bin/sh', '-c', 'id -u >/out/entered'], tty: false })).toBe(0);
        expect(bench.read('entered')).toBe('0\n');
        expect(statSync(join(bench.out, 'entered')).uid).toBe(first);
      } finally {
        await runtime.stopSandbox(id, { force: true });
      }
    },
  );

  it('runs as the image’s users, and refuses those it has not', async () => {
    const { status } = await bench.run(runtime, 'id -u >/dev/shm/u; id -G >>/dev/shm/u; cat /dev/shm/u >/out/worker', {
      ...own,
      app: { user: 'worker', group: 'workers', supplementaryGIDs: [77] },
    });
    expect([status, bench.read('worker')]).toEqual([0, '1234\n2345 77\n']);
    const app = { user: '65536', group: '0' };
    await expect(bench.run(runtime, 'true', { ...own, app })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_ID_OUT_OF_RANGE',
      message: expect.stringContaining('0 to 65535'),
    });
  });

  it('gives an executable the capabilities its file has, over its own users', async () => {
    const program = join(bench.image, 'bin', 'binding-cat');
    copyFileSync(join(bench.image, 'bin', 'cat'), program);
    // capabilities(7), version 2: CAP_NET_BIND_SERVICE, permitted and effective.
    const value = '0x0100000200040000000000000000000000000000';
    execFileSync('setfattr', ['-n', 'security.capability', '-v', value, program]);
    const script = '/bin/binding-cat /proc/self/status >/out/status';
    const app = { user: '1234', group: '2345' };
    expect((await bench.run(runtime, script, { ...own, app })).status).toBe(0);
    expect(bench.read('status')).toContain('CapEff:\t0000000000000400\n');
  });

  it('adds lines to its name files', async () => {
    const script = 'echo 1.2.3.4 more >>/etc/hosts && cat /etc/hosts >/out/hosts';
    expect((await bench.run(runtime, script, own)).status).toBe(0);
    expect(bench.read('hosts')).toContain('1.2.3.4 more\n');
  });

  it.each<readonly [StdioMode, string]>([
    ['inherit', 'seen\n'],
    ['interactive', 'seen\n'],
    ['tty', 'seen\r\n'],
  ])('opens its standard output by name when it is detached with stdio %s', async (stdio, expected) => {
    const { id } = await bench.prepare(runtime, 'echo seen >/dev/stdout', own);
    await runtime.createSandbox(id);
    try {
      await runtime.addApp(id, 'app');
      const app = await runtime.startApp(id, 'app', { stdio, monitor: {} });
      await runtime.detach(id);
      expect(await app.wait()).toBe(0);
      const written: string[] = [];
      for await (const { bytes } of runtime.logs(id)) written.push(Buffer.from(bytes).toString());
      expect(written.join('')).toBe(expected);
    } finally {
      await runtime.stopSandbox(id);
    }
  });

  it.each([
    ['a terminal', ''],
    ['a terminal to write to', '</dev/null'],
    ['a terminal and /dev/null', '2>/dev/null'],
    ['files', '<in >written'],
    ['/dev/null', '</dev/null >/dev/null'],
    ['a pipe that has a name', '</dev/null 1<>named 2>&1'],
  ])('leaves %s to whoever has called it', async (_, redirection) => {
    const { id } = await bench.prepare(runtime, 'echo seen; echo seen >/dev/stdout; id -u >/out/id', own);
    const program = new URL('./run-pod-process.ts', import.meta.url).pathname;
    const run = [process.execPath, ...process.execArgv, program, bench.dataDir, id, runtimePath];
    const words = run.map((word) => `'${word}'`).join(' ');
    const command = `cd ${bench.out}; touch in written; rm -f named; mkfifo named; ${words} ${redirection}; stat -c %u "$(tty)" in written named >owners`;
    await once(spawn('script', ['-qec', command, '/dev/null'], { stdio: 'ignore' }), 'exit');
    expect(bench.read('id')).toBe('0\n');
    expect(bench.read('owners')).toBe('0\n0\n0\n0\n');
    if (redirection.includes('written'))
      expect(bench.read('written').split('\n').toSorted()).toEqual(['', 'seen', 'seen', 'started']);
  });

  it('keeps its users where its sandbox is kept: when it is checked, and when it is started again', async () => {
    const value = JSON.stringify({ Test: ['CMD-SHELL', 'echo checked; cat; id -u >/out/checked'] });
    const runtimeApp = { annotations: [{ name: 'appc.io/docker/healthcheck', value }] };
    const script = 'id -u >>/out/runs; while [ ! -s /end ]; do sleep 0.02; done; : >/end; exit 3';
    const { id } = await bench.prepare(runtime, script, { ...own, runtimeApp });
    const users = usersOf(await runtime.createSandbox(id));
    await runtime.addApp(id, 'app');
    await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {} });
    await runtime.detach(id, { keepSandbox: true });
    expect(await runtime.checkHealth(id)).toMatchObject({ status: 'healthy', exitCode: 0 });
    expect(bench.read('checked')).toBe('0\n');
    const exitCode = async (): Promise<number | undefined> => (await runtime.inspect(id)).apps[0]?.exitCode;
    const end = { tty: false, quiet: true, command: ['/bin/sh', '-c', 'echo now >/end'] };
    await runtime.enter(id, end);
    await expect.poll(exitCode).toBe(3);
    await runtime.startApp(id, 'app', { stdio: 'inherit', monitor: {}, again: true });
    const pod = await runtime.inspect(id);
    expect(usersOf(pod)).toEqual(users);
    expect(statSync(`/proc/${pod.pid}`).uid).toBe(users.first);
    await runtime.enter(id, end);
    await expect.poll(exitCode).toBe(3);
    expect(bench.read('runs')).toBe('0\n0\n');
    expect(await runtime.releaseEnded(id, { app: 'app' })).toBe(true);
    await runtime.remove(id);
    expect(ranges()).not.toContain(String(users.first));
  });

  it('gives every pod another range, until its files are gone', async () => {
    await collectAll(runtime, { graceMs: 0 });
    const pods = await Promise.all([1, 2, 3].map(() => bench.run(runtime, 'true', own)));
    const firsts = pods.map(({ pod }) => usersOf(pod).first);
    expect(new Set(firsts).size).toBe(3);
    expect(ranges().toSorted()).toEqual(firsts.map(String).toSorted());
    await runtime.remove(pods[0]?.pod.id ?? '');
    expect(ranges()).toHaveLength(2);
    await collectAll(runtime, { graceMs: 0, expirePreparedMs: 0 });
    expect(ranges()).toEqual([]);
  });
});

it('adds, removes and runs apps of a mutable pod on EROFS, each with the pod’s users', async () => {
  const runtime = await bench.runtime();
  const rootfs = makeSmallErofs(bench.dataDir);
  const places = ['bin', 'lib', 'lib64', 'usr'].filter((name) => existsSync(join(bench.image, name)));
  const volumes = [
    ...places.map((name) => ({ name, kind: 'host' as const, source: join(bench.image, name), readOnly: true })),
    { name: 'out', kind: 'host' as const, source: bench.out },
  ];
  const { id } = await runtime.prepare({
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [] },
    rootfs: {},
    sandbox: { networks: [{ name: 'none' }], privateUsers: true },
    mutable: true,
  });
  bench.ids.push(id);
  await runtime.createSandbox(id);
  try {
    for (const name of ['one', 'two', 'one']) {
      const script = `touch /written /out/${name} && stat -c %u /written >/out/${name}-owner`;
      const mounts = volumes.map((volume) => ({ volume: volume.name, path: `/${volume.name}` }));
      const app = { exec: ['/bin/sh', '-c', script], user: '0', group: '0' };
      await runtime.defineApp(id, { app: { name, image: { id: 'sha512-0' }, app, mounts }, rootfs, volumes });
      await runtime.addApp(id, name);
      expect(await (await runtime.startApp(id, name, { stdio: 'inherit' })).wait()).toBe(0);
      expect(bench.read(`${name}-owner`)).toBe('0\n');
      const { first } = usersOf(await runtime.inspect(id));
      expect(lstatSync(join(bench.out, name)).uid).toBe(first);
      await runtime.removeApp(id, name);
    }
  } finally {
    await runtime.stopSandbox(id);
  }
});

it('is refused by a flavor that has no user namespaces', async () => {
  const { createFakeFlavor } = await import('../../src/testing/index.ts');
  const { createRuntime } = await import('../../src/index.ts');
  const runtime = await createRuntime({ dataDir: bench.dataDir, configDirs: [], flavors: [createFakeFlavor()] });
  const options: PodOptions = own;
  const refusal = { code: 'ERR_RKT_STAGE1_FLAVOR_UNABLE', message: expect.stringContaining('fake') };
  await expect(bench.prepare(runtime, 'true', options)).rejects.toMatchObject(refusal);
  const { id } = await bench.prepare(await bench.runtime(), 'true', options);
  await expect(runtime.createSandbox(id)).rejects.toMatchObject(refusal);
  await runtime.remove(id);
});
