// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRuntime } from '../../src/index.ts';
import { records } from '../../src/pod/index.ts';
import { createFakeFlavor, createFakeHost } from '../../src/testing/index.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-logs-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const line = '2026-01-01T00:00:00.000000000+00:00 stdout F last words\n';

it.each([
  ['has been killed', { monitor: { pid: 999, startTime: '1', bootId: 'fake' } }],
  ['had ended before it was written down', {}],
])('a log whose monitor %s is followed no further, although nobody knows the status', async (_, record) => {
  const host = createFakeHost();
  const runtime = await createRuntime({ dataDir, configDirs: [], host, flavors: [createFakeFlavor()] });
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
  await runtime.addApp(id, 'app');
  records.writeApp(dir, 'app', { createdAt: 1, startedAt: 2, streams: { stdin: false, terminal: false }, ...record });
  writeFileSync(join(dir, 'apps/app/log'), line);
  const texts: string[] = [];
  for await (const { bytes } of runtime.logs(id, { follow: true })) texts.push(Buffer.from(bytes).toString());
  expect(texts).toEqual(['last words\n']);
  await runtime.stopSandbox(id);
});
