// SPDX-License-Identifier: Apache-2.0

import { once } from 'node:events';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { usePodBench } from './use-bench.ts';

const { bench, runtime } = await usePodBench();

describe('a pod that is run', () => {
  it('gives the status of its app and keeps it', async () => {
    const { status, pod } = await bench.run(runtime, 'exit 7');
    expect(status).toBe(7);
    const after = await runtime.inspect(pod.id);
    expect(after.state).toBe('exited');
    expect(after.apps[0]).toMatchObject({ state: 'exited', exitCode: 7 });
    expect(after.apps[0]?.finishedAt).toBeGreaterThanOrEqual(after.apps[0]?.startedAt ?? Number.NaN);
  });

  it('gives 128 and the number of the signal that ended its app', async () => {
    const { id } = await bench.prepare(runtime, '', { exec: ['/bin/sleep', '30'] });
    await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    const app = await runtime.startApp(id, 'app', { stdio: 'inherit' });
    app.signal('SIGKILL');
    expect(await app.wait()).toBe(137);
    await runtime.stopSandbox(id);
  });

  it('is alone in its namespaces, with only its own descriptors', async () => {
    const script =
      'hostname >/out/name; ls /proc/self/fd >/out/fds; ls /proc | grep -c "^[0-9]" >/out/pids; ls /sys/class/net >/out/net';
    const { pod, status } = await bench.run(runtime, script, { sandbox: { hostname: 'some-host' } });
    expect(status).toBe(0);
    expect(bench.read('name')).toBe('some-host\n');
    // 0, 1, 2, and the directory ls itself has open.
    expect(bench.read('fds')).toBe('0\n1\n2\n3\n');
    expect(Number(bench.read('pids'))).toBeLessThan(6);
    expect(bench.read('net')).toBe('lo\n');
    expect(pod.networks).toEqual([]);
  });

  it('runs as the user and groups of the image', async () => {
    chmodSync(bench.out, 0o777);
    await bench.run(runtime, 'id -u >/out/ids; id -g >>/out/ids; id -G >>/out/ids', {
      app: { user: 'worker', group: '' },
    });
    expect(bench.read('ids')).toBe('1234\n2345\n2345 77\n');
  });

  it('runs as Docker would where an image from Docker states no group', async () => {
    chmodSync(bench.out, 0o777);
    const idsOf = async (user: string, value: string): Promise<string> => {
      const look = `id -u >/out/ids-${user}; id -g >>/out/ids-${user}; id -G >>/out/ids-${user}`;
      const runtimeApp = { annotations: [{ name: 'appc.io/docker/user', value }] };
      await bench.run(runtime, look, { app: { user, group: user }, runtimeApp });
      const ids = bench.read(`ids-${user}`);
      rmSync(join(bench.out, `ids-${user}`));
      return ids;
    };
    expect(await idsOf('1000', '1000')).toBe('1000\n0\n0\n');
    expect(await idsOf('1234', '1234')).toBe('1234\n2345\n2345 77\n');
    // Stated by the image, or by whoever runs it instead of the image's user: meant as it stands.
    expect(await idsOf('1000', '1000:1000')).toBe('1000\n1000\n1000\n');
    expect(await idsOf('1000', 'redis')).toBe('1000\n1000\n1000\n');
  });

  it('has the root its image has, whatever the umask of the caller', async () => {
    chmodSync(bench.out, 0o777);
    chmodSync(bench.image, 0o751);
    const before = process.umask(0o077);
    try {
      const script = 'stat -c %a / /etc/hosts >/out/modes; cat /etc/resolv.conf /etc/hosts >/dev/null';
      const { status } = await bench.run(runtime, script, { app: { user: 'worker', group: '' } });
      expect(status).toBe(0);
    } finally {
      process.umask(before);
      chmodSync(bench.image, 0o755);
    }
    expect(bench.read('modes')).toBe('751\n644\n');
  });

  it('runs beside another app of its pod, with its own root and the same network', async () => {
    const image = { id: 'sha512-0' as const };
    const mountPoints = [{ name: 'out', path: '/out' }];
    const look = (name: string): string =>
      `readlink /proc/self/ns/net /proc/self/ns/ipc >/out/${name}; touch /${name}; ls /b`;
    const apps = ['a', 'b'].map((name) => ({
      name,
      image,
      app: { exec: ['/bin/sh', '-c', look(name)], user: '0', group: '0', mountPoints },
    }));
    const source = { type: 'directory' as const, path: bench.image };
    const { id } = await runtime.prepare({
      manifest: {
        acVersion: '0.8.11',
        acKind: 'PodManifest',
        apps,
        volumes: [{ name: 'out', kind: 'host', source: bench.out }],
      },
      rootfs: { a: source, b: source },
      sandbox: { networks: [{ name: 'none' }] },
    });
    bench.ids.push(id);
    await runtime.createSandbox(id);
    try {
      await Promise.all(['a', 'b'].map((name) => runtime.addApp(id, name)));
      const started = await Promise.all(['a', 'b'].map((name) => runtime.startApp(id, name, { stdio: 'inherit' })));
      expect(await Promise.all(started.map((app) => app.wait()))).toEqual([2, 0]);
    } finally {
      await runtime.stopSandbox(id);
    }
    expect(bench.read('a')).toBe(bench.read('b'));
  });

  it('writes to its own layer, never to the image', async () => {
    const { status } = await bench.run(runtime, 'touch /etc/new && cat /etc/new && ls /etc >/out/etc');
    expect(status).toBe(0);
    const again = await bench.run(runtime, '! ls /etc/new');
    expect(again.status).toBe(0);
  });

  it('cannot write to a read-only root', async () => {
    const { status } = await bench.run(runtime, '! touch /etc/new', { runtimeApp: { readOnlyRootFS: true } });
    expect(status).toBe(0);
  });

  it('has the names and resolver it was given', async () => {
    await bench.run(runtime, 'cat /etc/resolv.conf /etc/hosts >/out/names', {
      sandbox: {
        hostname: 'me',
        dns: { nameservers: ['192.0.2.1'], search: ['example.org'] },
        hostsEntries: [{ ip: '192.0.2.9', names: ['nine', 'neuf'] }],
      },
    });
    expect(bench.read('names')).toContain('nameserver 192.0.2.1\nsearch example.org\n');
    expect(bench.read('names')).toContain('127.0.0.1\tme\n192.0.2.9\tnine neuf\n');
  });
});

describe('an app that cannot be executed', () => {
  for (const runtimePath of ['/usr/sbin/runc', '/usr/bin/crun']) {
    it(`is told apart from one that fails, by ${runtimePath}`, async () => {
      writeFileSync(join(bench.image, 'bin/text'), 'no program at all\n', { mode: 0o755 });
      writeFileSync(join(bench.image, 'bin/data'), 'data', { mode: 0o644 });
      const stated = await bench.runtime(runtimePath);
      const run = (...exec: readonly string[]): Promise<unknown> => bench.run(stated, '', { exec });
      await expect(run('/bin/absent')).rejects.toMatchObject({
        code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND',
        message: expect.stringContaining('/bin/absent'),
      });
      await expect(run('absent')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND' });
      await expect(run('/bin/data')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_EXEC_PERMISSION' });
      await expect(run('/bin')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_EXEC_PERMISSION' });
      await expect(run('/bin/text')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_EXEC_FORMAT' });
      await expect(bench.run(stated, '', { exec: ['/bin/sh'], app: { user: 'nobody-here' } })).rejects.toMatchObject({
        code: 'ERR_RKT_STAGE1_USER_NOT_FOUND',
      });
      expect((await bench.run(stated, 'exit 1')).status).toBe(1);
    });
  }
});

describe('a network', () => {
  it('is set up for the pod and released with it', async () => {
    const { pod, status } = await bench.run(runtime, 'ls /sys/class/net >/out/net', {
      sandbox: { networks: [{ name: 'default' }] },
    });
    expect(status).toBe(0);
    expect(bench.read('net')).toBe('eth0\nlo\n');
    expect(pod.networks).toMatchObject([{ netName: 'default', ifName: 'eth0', ip: expect.stringMatching(/^172\./) }]);
  });
});

it.each([['/usr/sbin/runc'], ['/usr/bin/crun']])(
  'an app has the sockets that were handed over, on %s',
  async (path) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const fd: number = Reflect.get(Reflect.get(server, '_handle'), 'fd');
    const runtime = await bench.runtime(path);
    const script = 'echo "$LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES $$" >/out/listen; ls -l /proc/$$/fd >>/out/listen';
    const { id } = await bench.prepare(runtime, script);
    await runtime.createSandbox(id);
    try {
      await runtime.addApp(id, 'app');
      const app = await runtime.startApp(id, 'app', { stdio: 'inherit', listeners: { fds: [fd], names: ['web'] } });
      expect(await app.wait()).toBe(0);
    } finally {
      await runtime.stopSandbox(id);
      server.close();
    }
    const [environment, ...lines] = bench.read('listen').trim().split('\n');
    expect(environment).toBe('1 1 web 1');
    expect(lines.filter((line) => / 3 -> socket:/.test(line))).toHaveLength(1);
    expect(lines.some((line) => line.includes('lock'))).toBe(false);
  },
);
