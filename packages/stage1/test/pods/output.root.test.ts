// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { usePodBench } from './use-bench.ts';

const { bench, runtime } = await usePodBench();

/** Node's pipes are socket pairs, as a service manager's are: what is passed on must still be all that was written. */
it('lets an app open its streams by name when the caller has sockets there', async () => {
  const lines = 'i=0; while [ $i -lt 2000 ]; do echo line $i > /dev/stdout; i=$((i+1)); done';
  const { id } = await bench.prepare(runtime, `${lines}; echo problem > /dev/stderr; echo last; exit 4`);
  const program = new URL('./run-pod-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [...process.execArgv, program, bench.dataDir, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(await ended).toEqual([4, null]);
  expect(stderr).toBe('problem\n');
  expect(stdout.match(/^line \d+$/gm)).toHaveLength(2000);
  expect(stdout.trimEnd().endsWith('last')).toBe(true);
});
