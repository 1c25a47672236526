// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { usePodBench } from './use-bench.ts';

const { bench, runtime } = await usePodBench();

/** The standard error of a process that gives up starting an app after some milliseconds. */
async function errorsOfAbort(runtimePath: string, delayMs: number): Promise<string> {
  const { id } = await bench.prepare(runtime, 'exec sleep 60');
  const program = new URL('./abort-start-process.ts', import.meta.url).pathname;
  const args = [...process.execArgv, program, bench.dataDir, id, runtimePath, String(delayMs)];
  return spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] }).stderr;
}

it('is told nothing by parts of a runtime that miss each other when the start is given up', async () => {
  const path = join(bench.out, 'runtime');
  const missing = `{ cat "${path}.pipe"; echo 'read from the init process' >&2; } & exec sleep 60 >"${path}.pipe"`;
  writeFileSync(path, `#!/bin/sh\ncase "$*" in *' run '*) mkfifo "${path}.pipe"; ${missing};; esac\n`, { mode: 0o755 });
  expect(await errorsOfAbort(path, 300)).toBe('');
});

it.each(['/usr/sbin/runc', '/usr/bin/crun'])('is told nothing by %s, whenever that is', async (path) => {
  for (const delay of [1, 5, 10, 15, 20, 30, 40]) expect(await errorsOfAbort(path, delay)).toBe('');
});
