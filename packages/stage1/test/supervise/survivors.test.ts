// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeApp } from '@rkt/appc';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type AppContext,
  createOciFlavor,
  createRuntime,
  type Host,
  type ProcessIdentity,
  type Runtime,
} from '../../src/index.ts';
import { createFakeFlavor, createFakeHost, type FakeHost } from '../../src/testing/index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'rkt-survivors-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A host on which one process of these cgroups ends for nobody. */
function undying(fake: FakeHost, isOccupied: (cgroup: string) => boolean): Host {
  const { processes } = fake.cgroups;
  const cgroups = {
    ...fake.cgroups,
    processes: (path: string) => (isOccupied(path) ? [4711] : processes(path)),
  };
  return { ...fake, cgroups };
}

const failure = (owner: string) => ({
  code: 'ERR_RKT_STAGE1_CLEANUP_FAILED',
  message: `processes of ${owner} do not end: 4711`,
});

const wait = { timeout: 20_000 };

describe.concurrent('flavor oci', () => {
  const flavor = createOciFlavor({ dataDir: scratch, runtimePath: '/usr/bin/crun' });

  it('does not count an app as removed of which a process does not end', wait, async () => {
    const fake = createFakeHost();
    const remains = { podId: 'id', dir: scratch, app: 'app', inside: undefined };
    const removal = flavor.remove(
      undying(fake, (cgroup) => cgroup === 'rkt/id/app'),
      remains,
    );
    await expect(removal).rejects.toMatchObject(failure('app "app" of pod id'));
    expect(fake.operations).toEqual([]);
  });

  it('does not start an app again of which a process does not end', wait, async () => {
    const fake = createFakeHost();
    const host = undying(fake, (cgroup) => cgroup === 'rkt/id/app');
    const holder: ProcessIdentity = { pid: 1, bootId: '', startTime: '0' };
    const app: RuntimeApp = {
      name: 'app',
      image: { id: 'sha512-0' },
      app: { exec: ['/bin/true'], user: '0', group: '0' },
    };
    const context: AppContext = {
      pod: { id: 'id', dir: scratch, hostname: 'pod', holder, init: holder, hostNetwork: false, insecure: {} },
      ...{ manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [app] }, app, mounts: [] },
    };
    const started = flavor.start(host, context, { stdio: 'inherit', lockFd: undefined });
    await expect(started).rejects.toMatchObject(failure('app "app" of pod id'));
    expect(fake.operations.filter(({ kind }) => kind === 'spawn')).toEqual([]);
  });
});

describe.concurrent('a pod', () => {
  /** A pod of one app that is there and does not run, in a PID namespace of the pod. */
  async function open(name: string, isOccupied: (cgroup: string) => boolean) {
    const fake = createFakeHost({
      outputOf: ({ args }, pid) => (args.some((arg) => arg.endsWith('/unshare')) ? `${pid}\n` : ''),
      executableOf: () => '/proc/fs/nfsd/sleep',
    });
    const dataDir = join(scratch, name);
    const flavor = createFakeFlavor();
    const flavors = [{ ...flavor, traits: { ...flavor.traits, pidNamespaces: true } }];
    const host = undying(fake, isOccupied);
    const runtime: Runtime = await createRuntime({ dataDir, configDirs: [], host, flavors });
    const app = { exec: ['/bin/true'], user: '0', group: '0' };
    const { id } = await runtime.prepare({
      manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'app', image: { id: 'sha512-0' }, app }] },
      rootfs: { app: { type: 'directory', path: '/' } },
      sandbox: { networks: [{ name: 'none' }], pid: 'pod' },
    });
    const { dir } = await runtime.createSandbox(id);
    await runtime.addApp(id, 'app');
    return { runtime, id, files: join(dir, 'apps/app') };
  }

  it('keeps the files of an app of whose health check a process does not end', wait, async () => {
    const { runtime, id, files } = await open('health', (cgroup) => cgroup.endsWith('/health.app'));
    const removed = runtime.removeApp(id, 'app');
    await expect(removed).rejects.toMatchObject(failure(`the health check of app "app" of pod ${id}`));
    expect(existsSync(files)).toBe(true);
  });

  it('tells who stops an app of what does not end', wait, async () => {
    const { runtime, id } = await open('leftovers', (cgroup) => cgroup.endsWith('/app'));
    await expect(runtime.stopApp(id, 'app', { force: true })).rejects.toMatchObject(failure(`app "app" of pod ${id}`));
  });
});
