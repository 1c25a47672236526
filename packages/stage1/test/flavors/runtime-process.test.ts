// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endRuntime, startNoted } from '../../src/flavors/oci/runtime-process.ts';
import { createFakeHost } from '../../src/testing/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-runtime-process-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('is ended by whoever finds what was written down of it', async () => {
  const host = createFakeHost();
  mkdirSync(join(dir, 'apps/app'), { recursive: true });
  const spawn = () => host.processes.spawn({ file: '/usr/bin/crun', args: [], stdio: [] });
  const { pid } = await startNoted(host, dir, { app: 'app', spawn });
  expect(host.processes.identify(pid)).toBeDefined();
  endRuntime(host, dir, 'app');
  expect(host.processes.identify(pid)).toBeUndefined();
});

it('does not go on when it cannot be written down', async () => {
  const host = createFakeHost();
  const spawn = () => host.processes.spawn({ file: '/usr/bin/crun', args: [], stdio: [] });
  await expect(startNoted(host, dir, { app: 'app', spawn })).rejects.toMatchObject({ code: 'ENOENT' });
  expect(host.processes.all()).toEqual([]);
});
