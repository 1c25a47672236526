// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRuntime, type Runtime, type SandboxSpec, type SpawnRequest } from '../../src/index.ts';
import { createFakeFlavor, createFakeHost, type FakeHost, type FakeHostOptions } from '../../src/testing/index.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-init-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const isStarter = ({ args }: SpawnRequest): boolean => args.some((arg) => arg.endsWith('/unshare'));
const executable = '/proc/fs/nfsd/sleep';

/** A host on which whatever starts a first process stands for that process, too. */
async function open(options: FakeHostOptions = {}): Promise<{ readonly runtime: Runtime; readonly host: FakeHost }> {
  const host = createFakeHost({
    outputOf: (request, pid) => (isStarter(request) ? `${pid}\n` : ''),
    executableOf: () => executable,
    ...options,
  });
  const flavors = [{ ...createFakeFlavor(), traits: { ...createFakeFlavor().traits, pidNamespaces: true } }];
  return { host, runtime: await createRuntime({ dataDir, configDirs: [], host, flavors }) };
}

async function prepare(runtime: Runtime, sandbox: Partial<SandboxSpec> = { pid: 'pod' }): Promise<string> {
  const app = { exec: ['/bin/true'], user: '0', group: '0' };
  const { id } = await runtime.prepare({
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'app', image: { id: 'sha512-0' }, app }] },
    rootfs: { app: { type: 'directory', path: '/' } },
    sandbox: { networks: [{ name: 'none' }], ...sandbox },
  });
  return id;
}

const started = ({ operations }: FakeHost): SpawnRequest | undefined =>
  operations.flatMap((each) => (each.kind === 'spawn' && isStarter(each.request) ? [each.request] : []))[0];

describe('the first process of a PID namespace of the pod', () => {
  it('is asked for by the pod alone', async () => {
    const { runtime, host } = await open();
    await runtime.createSandbox(await prepare(runtime, {}));
    await runtime.createSandbox(await prepare(runtime, { pid: 'app' }));
    expect(started(host)).toBeUndefined();
  });

  it('is born in the pod’s cgroup and namespaces, and is on record', async () => {
    const { runtime, host } = await open();
    const id = await prepare(runtime);
    const { dir } = await runtime.createSandbox(id);
    const { holder, init } = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8'));
    expect(init).toEqual(host.processes.identify(init.pid));
    const { args = [], detached } = started(host) ?? {};
    expect(args[0]).toBe(`rkt/${id}/pod.init`);
    expect(args).toEqual(expect.arrayContaining([`--target=${holder.pid}`, '--ipc', '--uts', '--net']));
    expect(args).not.toContain('--user');
    expect(detached).toBe(true);
  });

  it('leaves the host its network where the pod has it', async () => {
    const { runtime, host } = await open();
    await runtime.createSandbox(await prepare(runtime, { pid: 'pod', networks: [{ name: 'host' }] }));
    expect(started(host)?.args).not.toContain('--net');
  });

  it('has its root emptied when it is what it should be, in its own mount namespace', async () => {
    const { runtime, host } = await open();
    const { dir } = await runtime.createSandbox(await prepare(runtime));
    const { init } = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8'));
    const own = [`/proc/${init.pid}/ns/mnt`];
    const changes = host.operations.flatMap((each) =>
      each.kind === 'syscall' && ['makeReadOnly', 'pivotRoot'].includes(each.name) ? [each] : [],
    );
    expect(changes).toMatchObject([
      { name: 'makeReadOnly', detail: '/', namespaces: own },
      { name: 'pivotRoot', detail: '/proc/fs/nfsd', namespaces: own },
    ]);
  });

  it('is ended with the pod, also where it is in no cgroup', async () => {
    const { runtime, host } = await open();
    const id = await prepare(runtime);
    const { dir } = await runtime.createSandbox(id);
    const { init } = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8'));
    await runtime.stopSandbox(id);
    expect(host.processes.isAlive(init)).toBe(false);
  });

  it('is ended, and the pod with it, when it does not ignore the end of its children', async () => {
    const { runtime, host } = await open({ ignoresSignals: false });
    const id = await prepare(runtime);
    await expect(runtime.createSandbox(id)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_RUNTIME_FAILED',
      message: 'cannot make a PID namespace for the pod: "env does not make it ignore SIGCHLD"',
    });
    expect(host.processes.all()).toEqual([]);
    expect((await runtime.inspect(id)).state).toBe('exited');
  });

  it('is not waited for when it cannot be started: what went wrong is said', async () => {
    const { runtime } = await open({
      outputOf: (request) => (isStarter(request) ? 'unshare: unshare failed: No space left on device\n' : ''),
      statusOf: (request) => (isStarter(request) ? 1 : undefined),
    });
    await expect(runtime.createSandbox(await prepare(runtime))).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_RUNTIME_FAILED',
      message: expect.stringContaining('No space left on device'),
    });
  });

  it.each(['nsenter', 'unshare', 'setpriv', 'env', 'sleep', 'tail'])(
    'takes %s, without which nothing is made and the pod stays prepared',
    async (missing) => {
      const needed = ['nsenter', 'unshare', 'setpriv', 'env', 'sleep', 'tail', 'cat'];
      const { runtime, host } = await open({ executables: needed.filter((name) => name !== missing) });
      const id = await prepare(runtime);
      const before = host.operations.length;
      await expect(runtime.createSandbox(id)).rejects.toMatchObject({
        code: 'ERR_RKT_STAGE1_RUNTIME_MISSING',
        message: expect.stringMatching(new RegExp(`^found no ${missing}, .* install the Debian packages util-linux`)),
      });
      expect(host.operations.slice(before).filter(({ kind }) => kind === 'spawn')).toEqual([]);
      expect((await runtime.inspect(id)).state).toBe('prepared');
    },
  );

  it('is refused by flavors that cannot join it, before there is a pod', async () => {
    const runtime = await createRuntime({
      dataDir,
      configDirs: [],
      host: createFakeHost(),
      flavors: [createFakeFlavor()],
    });
    await expect(prepare(runtime)).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_FLAVOR_UNABLE',
      message: 'a pod with a PID namespace for all its apps needs another flavor than fake',
    });
    expect(await runtime.list()).toEqual([]);
  });
});

it('lets nobody start an app in a namespace whose first process has ended', async () => {
  const { runtime, host } = await open();
  const id = await prepare(runtime);
  const { dir } = await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  const { init } = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8'));
  host.end(init.pid, 137);
  await expect(runtime.startApp(id, 'app', { stdio: 'inherit' })).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_POD_NOT_RUNNING',
    message: expect.stringContaining('first process'),
  });
});
