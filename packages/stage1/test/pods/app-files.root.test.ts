// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { AppFiles } from '../../src/index.ts';
import { collectAll } from './bench.ts';
import { usePodBench } from './use-bench.ts';

const { bench, runtime } = await usePodBench();
const refused = (code: string) => ({ code: `ERR_RKT_STAGE1_${code}` });

const read = ({ upperDir }: AppFiles, path: string): string => readFileSync(join(upperDir, path), 'utf8');

it.each(['oci', 'fly'])(
  'what an app of flavor %s has made of its image is there when its pod has ended',
  async (flavor) => {
    const script = 'echo new >/data/new; echo more >>/data/sub/file; echo elsewhere >/out/mine';
    const networks = [{ name: flavor === 'fly' ? 'host' : 'none' }];
    const { pod } = await bench.run(runtime, script, { sandbox: { flavor, networks } });
    using files = await runtime.openAppFiles(pod.id);
    expect(files).toMatchObject({ app: 'app', imageId: 'sha512-0', users: undefined });
    expect(read(files, 'data/new')).toBe('new\n');
    expect(read(files, 'data/sub/file')).toBe('from the image\nmore\n');
    expect(() => read(files, 'out/mine')).toThrow('ENOENT');
  },
);

it('belongs to users of the host who are told', async () => {
  const { pod } = await bench.run(runtime, 'touch /data/new', { sandbox: { privateUsers: true } });
  using files = await runtime.openAppFiles(pod.id);
  expect(files.users).toEqual(pod.users);
  expect(lstatSync(join(files.upperDir, 'data/new')).uid).toBe(pod.users?.first);
});

it('keeps the pod where it is for as long as anybody reads', async () => {
  const { pod } = await bench.run(runtime, 'echo new >/new');
  const one = await runtime.openAppFiles(pod.id);
  const another = await runtime.openAppFiles(pod.id, { app: 'app' });
  expect((await runtime.inspect(pod.id)).state).toBe('exited');
  const kept = { kind: 'kept', id: pod.id, reason: 'running' };
  expect(await collectAll(runtime, { graceMs: 0 })).toContainEqual(kept);
  one[Symbol.dispose]();
  const removing = runtime.remove(pod.id, { signal: AbortSignal.timeout(300) });
  await expect(removing).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(read(another, 'new')).toBe('new\n');
  another[Symbol.dispose]();
  expect(await collectAll(runtime, { markOnly: true })).toContainEqual({
    ...{ kind: 'marked', id: pod.id, to: 'exited-garbage' },
  });
  using files = await runtime.openAppFiles(pod.id);
  expect(read(files, 'new')).toBe('new\n');
});

it('waits for whoever releases a pod that has just ended', async () => {
  const { pod } = await bench.run(runtime, 'echo new >/new');
  const holder = await runtime.openAppFiles(pod.id);
  const removing = runtime.remove(pod.id);
  await delay(150);
  holder[Symbol.dispose]();
  await removing;
  await expect(runtime.openAppFiles(pod.id)).rejects.toMatchObject(refused('POD_NOT_FOUND'));
});

it('is not to be had of a pod that has not run, or runs', async () => {
  const { id } = await bench.prepare(runtime, 'while :; do sleep 0.05; done');
  await expect(runtime.openAppFiles(id)).rejects.toMatchObject({
    ...refused('APP_NOT_ADDED'),
    message: `app "app" of pod ${id} has not run: it has no files`,
  });
  await expect(runtime.openAppFiles(id, { app: 'other' })).rejects.toMatchObject(refused('APP_NOT_FOUND'));
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  await runtime.startApp(id, 'app', { stdio: 'inherit' });
  await expect(runtime.openAppFiles(id)).rejects.toMatchObject(refused('POD_RUNNING'));
  const elsewhere = await bench.runtime();
  await expect(elsewhere.openAppFiles(id)).rejects.toMatchObject(refused('POD_RUNNING'));
  await runtime.stopSandbox(id, { force: true });
  (await elsewhere.openAppFiles(id))[Symbol.dispose]();
});
