// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeApp, Volume } from '@rkt/appc';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { RootfsSource, Runtime } from '../../src/index.ts';
import { createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';
import { makeSmallErofs } from './small-erofs.ts';

let bench: PodBench;
let runtime: Runtime;
let rootfs: Extract<RootfsSource, { type: 'erofs' }>;

beforeAll(async () => {
  bench = createPodBench();
  runtime = await bench.runtime();
  const source = makeSmallErofs(bench.dataDir);
  if (source.type === 'erofs') rootfs = source;
});
afterEach(() => expect(footprint(bench.dataDir, bench.ids)).toEqual(none));
afterAll(() => bench.remove());

/** The image has no programs: those of the other one are its volumes. */
async function run(script: string, app: Partial<RuntimeApp['app']> = {}): Promise<number> {
  const places = ['bin', 'lib', 'lib64', 'usr'].filter((name) => existsSync(join(bench.image, name)));
  const volumes: readonly Volume[] = [
    ...places.map((name) => ({ name, kind: 'host' as const, source: join(bench.image, name), readOnly: true })),
    { name: 'out', kind: 'host', source: bench.out },
  ];
  const { id } = await runtime.prepare({
    manifest: {
      acVersion: '0.8.11',
      acKind: 'PodManifest',
      volumes,
      apps: [
        {
          name: 'app',
          image: { id: 'sha512-0' },
          app: { exec: ['/bin/sh', '-c', script], user: '0', group: '0', ...app },
          mounts: volumes.map(({ name }) => ({ volume: name, path: `/${name}` })),
        },
      ],
    },
    rootfs: { app: rootfs },
    sandbox: { networks: [{ name: 'none' }] },
  });
  bench.ids.push(id);
  await runtime.createSandbox(id);
  try {
    await runtime.addApp(id, 'app');
    return await (await runtime.startApp(id, 'app', { stdio: 'inherit' })).wait();
  } finally {
    await runtime.stopSandbox(id);
  }
}

const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

it('is a root filesystem straight from its files, which are never written to', async () => {
  const before = [rootfs.source, ...rootfs.devices].map(digest);
  const script = `cat /data/link >/out/content; stat -c '%u:%g' /data/file >/out/owner; stat -c %a /tmp >/out/mode
    touch /data/new && ls /data >/out/names && echo changed >/data/file && cat /data/file >/out/changed`;
  expect(await run(script)).toBe(0);
  expect(['content', 'owner', 'mode', 'names', 'changed'].map(bench.read)).toEqual([
    'from the layer\n',
    '11:12\n',
    '1777\n',
    'file\nlink\nnew\n',
    'changed\n',
  ]);
  expect([rootfs.source, ...rootfs.devices].map(digest)).toEqual(before);
  expect(await run('ls /data >/out/names; cat /data/file >/out/content')).toBe(0);
  expect(bench.read('names')).toBe('file\nlink\n');
  expect(bench.read('content')).toBe('from the layer\n');
});

it('has the users of its own /etc/passwd', async () => {
  rmSync(join(bench.out, 'content'), { force: true });
  expect(await run('[ "$(id -u):$(id -g)" = 7:8 ]', { user: 'layer', group: '' })).toBe(0);
});

it('is an error that tells what is damaged when a layer or the image is missing or damaged', async () => {
  const whole = rootfs;
  const damaged = {
    code: 'ERR_RKT_STAGE1_MOUNT_FAILED',
    message: expect.stringMatching(/^cannot (mount root filesystem|read "\/etc\/passwd" of the image)/),
  };
  for (const broken of [
    { ...whole, devices: ['/no/such/layer'] },
    { ...whole, devices: [] },
    { ...whole, source: whole.devices[0] ?? '' },
  ]) {
    rootfs = broken;
    await expect(run('true')).rejects.toMatchObject(damaged);
  }
  rootfs = whole;
});
