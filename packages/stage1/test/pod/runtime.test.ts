// SPDX-License-Identifier: Apache-2.0
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRuntime, type PrepareOptions, type Runtime, type SandboxSpec } from '../../src/index.ts';
import { createFakeHost, type FakeHost, type FakeHostOptions } from '../../src/testing/index.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-runtime-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

async function open(options?: FakeHostOptions): Promise<{ readonly runtime: Runtime; readonly host: FakeHost }> {
  const host = createFakeHost({ statusOf: ({ file }) => (file.endsWith('cat') ? undefined : 0), ...options });
  return { host, runtime: await createRuntime({ dataDir, configDirs: [], host, runtimePath: '/usr/bin/crun' }) };
}

function pod(sandbox: Partial<SandboxSpec> = {}, name = 'app'): PrepareOptions {
  const app = { exec: ['/bin/true'], user: '0', group: '0' };
  return {
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name, image: { id: 'sha512-0' }, app }] },
    rootfs: { [name]: { type: 'directory', path: '/' } },
    sandbox: { networks: [{ name: 'none' }], ...sandbox },
  };
}

describe('preparing', () => {
  it('makes a prepared pod, whose directory was told before anything was in it', async () => {
    const { runtime } = await open();
    const seen: string[] = [];
    const prepared = await runtime.prepare({
      ...pod(),
      onDirectory: async (dir) => {
        seen.push(...readdirSync(dir));
      },
    });
    expect(seen).toEqual(['lock']);
    expect(prepared).toMatchObject({ state: 'prepared', apps: [{ name: 'app', state: 'unknown' }] });
    expect(await runtime.list()).toEqual([prepared]);
    expect(await runtime.resolve(prepared.id.slice(0, 7).toUpperCase())).toBe(prepared.id);
  });

  it('refuses two ports that would take the same one of the host', async () => {
    const { runtime } = await open();
    const podPort = { name: 'a', protocol: 'tcp', port: 80, count: 3, socketActivated: false };
    const ports = [
      { name: 'a', hostPort: 8080, podPort },
      { name: 'b', hostPort: 8082, hostIP: '127.0.0.1', podPort: { ...podPort, count: 1 } },
    ];
    const twice = { ...pod(), manifest: { ...pod().manifest, ports } };
    await expect(runtime.prepare(twice)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID',
      message: 'host port 8082/tcp is asked for twice',
    });
    expect(await runtime.list()).toEqual([]);
  });

  it('leaves nothing to be seen when the caller fails', async () => {
    const { runtime } = await open();
    const fail = async (): Promise<void> => {
      throw new Error('no lease');
    };
    await expect(runtime.prepare({ ...pod(), onDirectory: fail })).rejects.toThrow('no lease');
    expect(await runtime.list()).toEqual([]);
  });

  it('is aborted when its process is killed on the way, and no pod to run', async () => {
    const { runtime } = await open();
    const { id, dir } = await runtime.prepare(pod());
    renameSync(dir, join(dataDir, 'pods', 'prepare', id));
    const [left] = await runtime.list();
    expect(left?.state).toBe('aborted prepare');
    await expect(runtime.createSandbox(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_PREPARED' });
  });

  it.each<[string, PrepareOptions]>([
    ['an app name that is a path', pod({}, '../up')],
    ['a line in a hostname', pod({ hostname: 'a\nb' })],
    ['a line in a search domain', pod({ dns: { search: ['a\nnameserver 192.0.2.1'] } })],
    ['a name server that is none', pod({ dns: { nameservers: ['example.org'] } })],
    ['a line in a hosts entry', pod({ hostsEntries: [{ ip: '192.0.2.1', names: ['a\n127.0.0.1 bank'] }] })],
    ['an app without a root', { ...pod(), rootfs: {} }],
    ['a relative volume', withVolume({ source: 'etc' })],
    ['a mode that is none', withVolume({ source: '/etc', mode: '0755,suid' })],
    ['an owner that is none', withVolume({ source: '/etc', uid: -1 })],
    [
      'an owner that would be another pod’s',
      { ...withVolume({ kind: 'empty', uid: 65_536 }), sandbox: pod({ privateUsers: true }).sandbox },
    ],
  ])('refuses %s', async (_, options) => {
    const { runtime } = await open();
    await expect(runtime.prepare(options)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_MANIFEST_INVALID' });
    expect(await runtime.list()).toEqual([]);
  });

  it('finds a mount without a volume and a port without a number before there is a pod', async () => {
    const { runtime } = await open();
    const { manifest, ...rest } = pod();
    const apps = manifest.apps.map((app) => ({ ...app, mounts: [{ volume: 'v', path: '/v' }] }));
    await expect(runtime.prepare({ ...rest, manifest: { ...manifest, apps } })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_VOLUME_NOT_FOUND',
    });
    const ports = [{ name: 'http', hostPort: 80 }];
    await expect(runtime.prepare({ ...rest, manifest: { ...manifest, ports } })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_MANIFEST_INVALID',
    });
    expect(await runtime.list()).toEqual([]);
  });

  it('is for root', async () => {
    const { runtime } = await open({ root: false });
    await expect(runtime.prepare(pod())).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_NOT_ROOT' });
  });
});

describe('a sandbox', () => {
  it('isolates mounts before it changes anything, and is undone', async () => {
    const { runtime, host } = await open();
    const { id } = await runtime.prepare(pod({ hostname: 'name' }));
    expect((await runtime.createSandbox(id)).state).toBe('running');
    const namespaces = ['new mnt', 'new ipc', 'new uts', 'new net'];
    const calls = host.operations.flatMap((operation) => (operation.kind === 'syscall' ? [operation] : []));
    expect(calls.map(({ name }) => name)).toEqual(['makeSlave', 'sethostname', 'bringUpLoopback']);
    expect(calls.every((call) => call.namespaces.join() === namespaces.join())).toBe(true);
    await runtime.stopSandbox(id);
    expect(host.operations.at(-1)).toEqual({ kind: 'remove-cgroup', path: `rkt/${id}` });
    expect((await runtime.inspect(id)).state).toBe('exited');
  });

  it('shares the network with the host when it is told to', async () => {
    const { runtime, host } = await open();
    const { id } = await runtime.prepare(pod({ networks: [{ name: 'host' }] }));
    await runtime.createSandbox(id);
    expect(host.operations).not.toContainEqual(expect.objectContaining({ name: 'bringUpLoopback' }));
    expect(host.operations).toContainEqual(expect.objectContaining({ namespaces: ['new mnt', 'new ipc', 'new uts'] }));
    await runtime.stopSandbox(id);
  });

  it('is exited, and no one’s, when a step fails', async () => {
    const { runtime } = await open({ failing: 'sethostname' });
    const { id } = await runtime.prepare(pod());
    await expect(runtime.createSandbox(id)).rejects.toThrow('sethostname fails');
    expect((await runtime.inspect(id)).state).toBe('exited');
    await runtime.remove(id);
    await expect(runtime.inspect(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
  });

  it.each([
    ['makeSlave', 'MOUNT_FAILED', "cannot make the pod's mounts private: makeSlave fails"],
    ['sethostname', 'RUNTIME_FAILED', 'cannot set the pod\'s host name "rkt-'],
    ['bringUpLoopback', 'RUNTIME_FAILED', "cannot bring up the pod's loopback: bringUpLoopback fails"],
  ])('says what it was for when %s fails', async (failing, code, message) => {
    const { runtime } = await open({ failing });
    const { id } = await runtime.prepare(pod());
    await expect(runtime.createSandbox(id)).rejects.toMatchObject({
      code: `ERR_RKT_STAGE1_${code}`,
      message: expect.stringContaining(message),
    });
  });

  it('names the app and the image that cannot be mounted', async () => {
    const { runtime } = await open({ failing: 'openInRoot' });
    const options = withVolume({ kind: 'empty' });
    const apps = options.manifest.apps.map((app) => ({ ...app, mounts: [{ volume: 'v', path: '/v' }] }));
    const { id } = await runtime.prepare({ ...options, manifest: { ...options.manifest, apps } });
    await runtime.createSandbox(id);
    await expect(runtime.addApp(id, 'app')).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_MOUNT_FAILED',
      message: expect.stringMatching(/^cannot mount image "sha512-0" of app "app": openInRoot/),
    });
    await runtime.stopSandbox(id);
  });

  it('is needed to add an app', async () => {
    const { runtime } = await open();
    const { id } = await runtime.prepare(pod());
    await expect(runtime.addApp(id, 'app')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_RUNNING' });
    await expect(runtime.addApp(id, 'other')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_APP_NOT_FOUND' });
    await expect(runtime.enter(id, { tty: false })).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_APP_NOT_RUNNING' });
  });

  it('is not removed', async () => {
    const { runtime } = await open();
    const { id } = await runtime.prepare(pod());
    await runtime.createSandbox(id);
    await expect(runtime.remove(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_RUNNING' });
    await runtime.stopSandbox(id);
  });

  it('names the packages to install where there is no runtime', async () => {
    const host = createFakeHost({ executables: [] });
    const runtime = await createRuntime({ dataDir, configDirs: [], host });
    const { id } = await runtime.prepare(pod());
    await expect(runtime.createSandbox(id)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_RUNTIME_MISSING',
      message: expect.stringMatching(/crun or runc$/),
    });
    expect((await runtime.inspect(id)).state).toBe('prepared');
  });
});

describe('looking up', () => {
  it('tells an unknown pod from an ambiguous one, and neither is a path', async () => {
    const { runtime } = await open();
    for (let made = 0; made < 17; made += 1) await runtime.prepare(pod());
    const digits = (await runtime.list()).map(({ id }) => id.slice(0, 1));
    const twice = digits.find((digit, index) => digits.indexOf(digit) !== index) ?? '';
    await expect(runtime.resolve(twice)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_AMBIGUOUS_POD_ID' });
    for (const text of ['', 'zz', '../', '.*', '0'.repeat(37)]) {
      await expect(runtime.resolve(text)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_FOUND' });
    }
  });

  it('shows a pod whose files are damaged, and removes it', async () => {
    const { runtime } = await open();
    const { id, dir } = await runtime.prepare(pod());
    writeFileSync(join(dir, 'pod'), '{"apps": [');
    writeFileSync(join(dir, 'sandbox.json'), 'null');
    expect(await runtime.inspect(id)).toMatchObject({ state: 'prepared', manifest: undefined, apps: [] });
    await expect(runtime.createSandbox(id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_CORRUPT' });
    await runtime.remove(id);
  });

  it('does not show strangers', async () => {
    const { runtime } = await open();
    mkdirSync(join(dataDir, 'pods', 'run', 'lost+found'), { recursive: true });
    expect(await runtime.list()).toEqual([]);
  });
});

function withVolume(volume: Readonly<Record<string, unknown>>): PrepareOptions {
  const base = pod();
  return { ...base, manifest: { ...base.manifest, volumes: [{ name: 'v', kind: 'host', ...volume }] } };
}

it('a sandbox has what its pod was prepared with, but for what is said otherwise when it is made', async () => {
  const { runtime, host } = await open();
  const { id } = await runtime.prepare(pod({ hostname: 'one', dns: { mode: 'none' } }));
  await expect(runtime.createSandbox(id, { spec: { hostname: 'no name' } })).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_MANIFEST_INVALID',
  });
  await runtime.createSandbox(id, { spec: { hostname: 'two' } });
  expect(host.operations).toContainEqual(expect.objectContaining({ name: 'sethostname', detail: 'two' }));
  const record = JSON.parse(readFileSync(join(dataDir, 'pods/run', id, 'sandbox.json'), 'utf8'));
  expect(record.spec).toMatchObject({ hostname: 'two', dns: { mode: 'none' } });
  await runtime.stopSandbox(id);
});

it('whoever gives up waiting is told the reason that was given', async () => {
  const { runtime } = await open();
  const { id } = await runtime.prepare(pod());
  const controller = new AbortController();
  const reason = new Error('enough');
  const waiting = runtime.waitPod(id, { until: ({ state }) => state === 'running', signal: controller.signal });
  const holder = openSync(join(dataDir, 'pods/prepared', id, 'lock'), 'r');
  const { runtime: other, host } = await open();
  (await host.kernel()).syscalls.flock(holder, 'exclusive');
  const creating = other.createSandbox(id, { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 20);
  expect(await Promise.allSettled([waiting, creating])).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  closeSync(holder);
});
