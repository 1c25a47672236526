// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRuntime } from '../../src/index.ts';
import { keptExitDir, records } from '../../src/pod/index.ts';
import { createFakeHost } from '../../src/testing/index.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-status-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

it('a monitor is not killed between giving up the lock and writing the status', async () => {
  const host = createFakeHost({ statusOf: ({ file }) => (/cat$|conmon$/.test(file) ? undefined : 0) });
  const runtime = await createRuntime({ dataDir, configDirs: [], host, runtimePath: '/usr/bin/crun' });
  const { id } = await runtime.prepare({
    manifest: {
      acVersion: '0.8.11',
      acKind: 'PodManifest',
      apps: [{ name: 'app', image: { id: 'sha512-0' }, app: { exec: ['/x'], user: '0', group: '0' } }],
    },
    rootfs: { app: { type: 'directory', path: '/' } },
    sandbox: { networks: [{ name: 'none' }] },
  });
  const { dir } = await runtime.createSandbox(id);
  const monitor = host.processes.identify(host.processes.spawn({ file: 'conmon', args: [], stdio: [] }).pid);
  if (monitor === undefined) throw new Error('the monitor runs');
  mkdirSync(keptExitDir(dir, 'app'), { recursive: true });
  const process = { pid: 999, startTime: '1', bootId: 'fake' };
  const streams = { stdin: false, terminal: false };
  records.writeApp(dir, 'app', { createdAt: 1, startedAt: 2, process, monitor, streams });
  await runtime.detach(id);
  setTimeout(() => writeFileSync(join(keptExitDir(dir, 'app'), 'app'), '3'), 50);
  expect(await runtime.releaseEnded(id)).toBe(true);
  expect(host.operations).not.toContainEqual({ kind: 'signal', pid: monitor.pid, signal: 'SIGKILL' });
  expect((await runtime.inspect(id)).apps).toMatchObject([{ state: 'exited', exitCode: 3 }]);
});
