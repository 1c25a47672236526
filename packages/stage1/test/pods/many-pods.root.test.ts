// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createHost, type Runtime } from '../../src/index.ts';
import { collectAll, createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';

let bench: PodBench;
let runtime: Runtime;

beforeAll(async () => {
  bench = createPodBench();
  runtime = await bench.runtime();
});
afterAll(async () => {
  // What a test that failed left running must not be left without records.
  for (const { id } of await runtime.list()) await runtime.stopSandbox(id, { force: true });
  bench.remove();
});

/** What keeps the namespaces of a pod ends a moment after the process that made them. */
async function namespacesReleased(id: string): Promise<void> {
  const { holder } = JSON.parse(readFileSync(join(bench.dataDir, 'pods/run', id, 'run.json'), 'utf8'));
  await vi.waitFor(() => expect(createHost().processes.isAlive(holder)).toBe(false), { timeout: 5_000 });
}

it('a process that drives pods is killed; another one finds each as it was left, goes on, and clears all away', async () => {
  const script = 'while [ ! -e /out/go ]; do sleep 0.02; done; exit 6';
  const pods = await Promise.all(Array.from({ length: 7 }, () => bench.prepare(runtime, script)));
  const ids = pods.map(({ id }) => id);
  const [, , running = '', other = '', added = '', made = '', prepared = ''] = ids;
  const program = new URL('./drive-pods-process.ts', import.meta.url).pathname;
  const driver = spawn(process.execPath, [...process.execArgv, program, bench.dataDir, ...ids], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(driver.stdout, 'data');
  driver.kill('SIGKILL');
  await once(driver, 'exit');
  await Promise.all([running, other, added, made].map(namespacesReleased));

  const found = await Promise.all(ids.map((id) => runtime.inspect(id)));
  expect(found.map(({ state, apps }) => [state, apps[0]?.state, apps[0]?.exitCode])).toEqual([
    ['exited', 'exited', 137],
    ['exited', 'exited', 137],
    ['running', 'running', undefined],
    ['running', 'running', undefined],
    ['exited', 'created', undefined],
    ['exited', 'unknown', undefined],
    ['prepared', 'unknown', undefined],
  ]);

  const command = ['/bin/sh', '-c', 'echo entered >/out/entered'];
  expect(await runtime.enter(running, { tty: false, command })).toBe(0);
  expect(bench.read('entered')).toBe('entered\n');
  await expect(runtime.addApp(added, 'app')).rejects.toMatchObject({ code: 'ERR_RKT_STAGE1_POD_NOT_RUNNING' });
  await runtime.stopSandbox(other, { force: true });
  await runtime.stopSandbox(made);
  await runtime.createSandbox(prepared);
  await runtime.addApp(prepared, 'app');
  const app = await runtime.startApp(prepared, 'app', { stdio: 'inherit' });
  const events = await collectAll(runtime, { graceMs: 0 });
  const removed = events.flatMap((event) => (event.kind === 'removed' ? [event.id] : []));
  expect(removed.toSorted()).toEqual(ids.filter((id) => id !== running && id !== prepared).toSorted());

  await runtime.enter(running, { tty: false, command: ['/bin/sh', '-c', 'touch /out/go'] });
  expect(await app.wait()).toBe(6);
  await runtime.stopSandbox(prepared);
  await runtime.stopSandbox(running);
  await collectAll(runtime, { graceMs: 0 });
  expect(await runtime.list()).toEqual([]);
  expect(footprint(bench.dataDir, ids)).toEqual(none);
});
