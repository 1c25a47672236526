// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';

it('names no temporary file twice in one process, whichever thread asks', async () => {
  const script = new URL('processes/name-a-temporary.ts', import.meta.url);
  const workers = [new Worker(script), new Worker(script)];
  const names = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  expect(names[0]).toMatch(/^\/tmp\/\d+-\d+-[0-9a-f]{8}\.[0-9a-f-]{36}\.file$/);
  expect(new Set(names).size).toBe(2);
});
