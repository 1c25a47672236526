// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRuntime, type EnterOptions } from '../../src/index.ts';
import { createFakeFlavor, createFakeHost } from '../../src/testing/index.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-enter-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

it('is refused otherwise than as the app is, where the flavor does not say that it heeds that', async () => {
  const host = createFakeHost({ statusOf: ({ file }) => (file === '/bin/true' ? 0 : undefined) });
  const runtime = await createRuntime({ dataDir, configDirs: [], host, flavors: [createFakeFlavor()] });
  const app = { exec: ['/bin/sleep'], user: '0', group: '0' };
  const { id } = await runtime.prepare({
    manifest: { acVersion: '0.8.11', acKind: 'PodManifest', apps: [{ name: 'app', image: { id: 'sha512-0' }, app }] },
    rootfs: { app: { type: 'directory', path: '/' } },
    sandbox: { networks: [{ name: 'none' }] },
  });
  await runtime.createSandbox(id);
  await runtime.addApp(id, 'app');
  await runtime.startApp(id, 'app', { stdio: 'inherit' });
  const command = { command: ['/bin/true'], tty: false };
  const changed: readonly Partial<EnterOptions>[] = [
    { user: 'root' },
    { workingDirectory: '/tmp' },
    { environment: [{ name: 'A', value: 'b' }] },
  ];
  const spawned = (): number => host.operations.filter(({ kind }) => kind === 'spawn').length;
  const before = spawned();
  for (const changes of changed) {
    await expect(runtime.enter(id, { ...command, ...changes })).rejects.toMatchObject({
      code: 'ERR_RKT_STAGE1_FLAVOR_UNABLE',
      message: expect.stringMatching(/^flavor fake enters an app as the app is: leave user,/),
    });
  }
  expect(spawned()).toBe(before);
  expect(await runtime.enter(id, { ...command, environment: [] })).toBe(0);
  await runtime.stopSandbox(id, { force: true });
});
