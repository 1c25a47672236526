// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { monitorFiles } from '../../src/monitor/index.ts';
import { type MonitorStart, startConmon } from '../../src/monitor/start-conmon.ts';
import { createFakeHost } from '../../src/testing/index.ts';

let start: MonitorStart;
beforeEach(() => {
  const podDir = mkdtempSync(join(tmpdir(), 'rkt-conmon-'));
  mkdirSync(join(podDir, 'apps/web'), { recursive: true });
  start = {
    ...{ app: 'web', podDir, files: monitorFiles(podDir, 'web'), runtime: ['/usr/bin/crun', '--root', '/r'] },
    ...{ stdin: false, terminal: false, options: {}, lockFd: undefined },
  };
});
afterEach(() => rmSync(start.podDir, { recursive: true }));

it('names the package where there is no conmon', async () => {
  await expect(startConmon(createFakeHost({ executables: ['nsenter'] }), start)).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_MONITOR_MISSING',
    message: expect.stringMatching(/install the Debian package conmon$/),
  });
});

it('says when conmon does not start, and when it ends before there is a container', async () => {
  await expect(startConmon(createFakeHost({ statusOf: () => 3 }), start)).rejects.toMatchObject({
    code: 'ERR_RKT_STAGE1_MONITOR_FAILED',
    message: 'conmon could not watch the app: "its status is 3"',
  });
  const host = createFakeHost({ statusOf: () => 0 });
  await expect(startConmon(host, start)).rejects.toMatchObject({
    message: 'conmon could not watch the app: "it ended before the container was created"',
  });
  const spawned = host.operations.find(({ kind }) => kind === 'spawn');
  expect(spawned).toMatchObject({
    namespaces: [],
    request: { file: '/usr/bin/conmon', cwd: start.files.base, env: { _OCI_SYNCPIPE: '3' }, detached: true },
  });
});
