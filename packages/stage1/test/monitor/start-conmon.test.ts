// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHost } from '../../src/index.ts';
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
    request: {
      file: '/usr/bin/within',
      args: expect.arrayContaining(['rkt/monitors', '/usr/bin/conmon']),
      cwd: start.files.base,
      env: { _OCI_SYNCPIPE: '3' },
      detached: true,
    },
  });
});

it('is not waited for when that is given up: the monitor is killed, and what it would have said is not missed', async () => {
  const host = createFakeHost({ statusOf: ({ file }) => (file.endsWith('within') ? 0 : undefined) });
  const monitor = host.processes.spawn({ file: 'conmon', args: [], stdio: [] });
  const { syscalls } = await createHost().kernel();
  const pipe = syscalls.pipe();
  const kernel = await host.kernel();
  const controller = new AbortController();
  const spawn: typeof host.processes.spawn = (request) => {
    writeFileSync(start.files.monitorPid, String(monitor.pid));
    setTimeout(() => controller.abort(new Error('enough')), 20);
    return host.processes.spawn(request);
  };
  // What ends with the monitor is the pipe it writes to.
  void monitor.exit.then(() => closeSync(pipe.write));
  const write = openSync('/dev/null', 'w');
  const waiting = startConmon(
    {
      ...host,
      processes: { ...host.processes, spawn },
      kernel: async () => ({ ...kernel, syscalls: { ...kernel.syscalls, pipe: () => ({ read: pipe.read, write }) } }),
    },
    { ...start, signal: controller.signal },
  );
  await expect(waiting).rejects.toThrow('enough');
  expect(host.operations).toContainEqual({ kind: 'signal', pid: monitor.pid, signal: 'SIGKILL' });
});
