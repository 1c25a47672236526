// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '@rkt/appc';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { Pod, Runtime } from '../../src/index.ts';
import { createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';
import { preparePair, startBoth } from './pair.ts';

let bench: PodBench;
let runtime: Runtime;

beforeAll(async () => {
  bench = createPodBench();
  chmodSync(bench.out, 0o777);
  chmodSync(join(bench.image, 'tmp'), 0o1777);
  runtime = await bench.runtime();
});
afterEach(() => expect(footprint(bench.dataDir, bench.ids)).toEqual(none));
afterAll(() => bench.remove());

const prepare = (one: string, two: string, apps: readonly Partial<App>[] = []): Promise<Pod> =>
  preparePair({ bench, runtime }, [one, two], { apps });

const identity = (name: string): string =>
  `for kind in net ipc uts pid mnt cgroup; do readlink /proc/self/ns/$kind; done >/out/${name}.ns;` +
  `cat /proc/self/cgroup >/out/${name}.cgroup; id -u >/out/${name}.uid; touch /tmp/${name}; ls /tmp >/out/${name}.tmp;`;

it('share network, IPC and UTS; each has its own root, processes, cgroup and user', async () => {
  const { id } = await prepare(
    `${identity('one')} while [ ! -e /shared/done ]; do sleep 0.02; done; cat /shared/text >/out/seen`,
    `${identity('two')} echo from two >/shared/text; touch /shared/done`,
    [{}, { user: 'worker', group: '' }],
  );
  const { one, two } = await startBoth(runtime, id);
  expect(await Promise.all([one.wait(), two.wait()])).toEqual([0, 0]);
  await runtime.stopSandbox(id);
  expect(bench.read('seen')).toBe('from two\n');
  const spaces = ['one', 'two'].map((name) => bench.read(`${name}.ns`).trim().split('\n'));
  const [first = [], second = []] = spaces;
  expect(first.map((space, index) => space === second[index])).toEqual([true, true, true, false, false, false]);
  expect([bench.read('one.uid'), bench.read('two.uid')]).toEqual(['0\n', '1234\n']);
  expect([bench.read('one.tmp'), bench.read('two.tmp')]).toEqual(['one\n', 'two\n']);
});

it('keep the status of each, also while another still runs', async () => {
  const { id } = await prepare('exit 3', 'trap "exit 4" TERM; touch /out/ready; while :; do sleep 0.02; done');
  const { one, two } = await startBoth(runtime, id);
  expect(await one.wait()).toBe(3);
  await vi.waitFor(() => expect(existsSync(join(bench.out, 'ready'))).toBe(true), { timeout: 5_000 });
  const during = await runtime.inspect(id);
  expect(during).toMatchObject({ state: 'running', apps: [{ state: 'exited', exitCode: 3 }, { state: 'running' }] });
  await runtime.stopSandbox(id);
  expect(await two.wait()).toBe(4);
  const after = await runtime.inspect(id);
  expect(after).toMatchObject({ state: 'exited', apps: [{ exitCode: 3 }, { exitCode: 4 }] });
});

it('are all stopped at the same time, those that do not heed it by force', async () => {
  const stubborn = 'trap "" TERM; while :; do sleep 0.02; done';
  const { id } = await prepare(stubborn, stubborn);
  const { one, two } = await startBoth(runtime, id);
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 100));
  await runtime.stopSandbox(id, { timeoutMs: 400 });
  expect(await Promise.all([one.wait(), two.wait()])).toEqual([137, 137]);
  // One after the other would take twice the patience.
  expect(performance.now() - began).toBeLessThan(900);
});

it('are entered by name', async () => {
  const waiting = 'while :; do sleep 0.02; done';
  const { id } = await prepare(waiting, waiting, [{}, { environment: [{ name: 'A', value: 'b' }] }]);
  await startBoth(runtime, id);
  await expect(runtime.enter(id, { tty: false, command: ['/bin/sh', '-c', ':'] })).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_APP_UNSPECIFIED',
    message: expect.stringMatching(/contains multiple apps: one, two$/),
  });
  const command = ['/bin/sh', '-c', 'echo $AC_APP_NAME $A >/out/entered'];
  expect(await runtime.enter(id, { tty: false, app: 'two', command })).toBe(0);
  expect(bench.read('entered')).toBe('two b\n');
  await runtime.stopSandbox(id, { force: true });
});

it('of which one cannot be executed leave nothing of the others', async () => {
  const { id } = await prepare('while :; do sleep 0.02; done', '', [{}, { exec: ['/bin/absent'] }]);
  await expect(startBoth(runtime, id)).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_EXEC_NOT_FOUND' });
  expect((await runtime.inspect(id)).apps).toMatchObject([{ state: 'running' }, { state: 'created' }]);
  await runtime.stopSandbox(id, { force: true });
  expect((await runtime.inspect(id)).state).toBe('exited');
  await runtime.remove(id);
});
