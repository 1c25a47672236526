// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createPodBench, type PodBench } from './bench.ts';
import { footprint, none } from './footprint.ts';

let bench: PodBench;

beforeAll(() => {
  bench = createPodBench();
});
afterEach(() => {
  expect(footprint(bench.dataDir, bench.ids)).toEqual(none);
  for (const name of ['size', 'tty']) rmSync(join(bench.out, name), { force: true });
});
afterAll(() => bench.remove());

/** In a terminal of 33 rows and 101 columns, whose name is written down. */
function runOnTerminal(id: string, runtimePath: string): ChildProcess {
  const program = new URL('./run-pod-process.ts', import.meta.url).pathname;
  const run = [process.execPath, ...process.execArgv, program, bench.dataDir, id, runtimePath];
  const command = `tty >${bench.out}/tty; stty rows 33 cols 101; exec ${run.map((word) => `'${word}'`).join(' ')}`;
  return spawn('script', ['-qec', command, '/dev/null'], { stdio: 'ignore' });
}

it.each(['/usr/bin/crun', '/usr/sbin/runc'])(
  'is as large as the one %s is called from, then and later',
  async (path) => {
    const runtime = await bench.runtime(path);
    const script =
      'stty size >/out/size; while [ "$(stty size)" = "33 101" ]; do sleep 0.05; done; stty size >>/out/size';
    const { id } = await bench.prepare(runtime, script);
    const child = runOnTerminal(id, path);
    const ended = once(child, 'exit');
    await vi.waitFor(() => expect(readFileSync(join(bench.out, 'size'), 'utf8')).toBe('33 101\n'), 10_000);
    execFileSync('stty', ['-F', bench.read('tty').trim(), 'rows', '50', 'cols', '120']);
    expect(await ended).toEqual([0, null]);
    expect(bench.read('size')).toBe('33 101\n50 120\n');
  },
);
