// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { chooseRuntime } from '../../src/flavors/oci/choose-runtime.ts';
import { createHost } from '../../src/host/index.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rkt-choose-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

it.each(['crun', 'runc'])('a host that has %s alone runs pods with it', async (kind) => {
  const host = createHost();
  const findExecutable = (name: string): string | undefined => (name === kind ? host.findExecutable(name) : undefined);
  expect(await chooseRuntime({ ...host, findExecutable }, dataDir)).toEqual({ kind, path: host.findExecutable(kind) });
  expect(readdirSync(dataDir)).toEqual(['runtime.json']);
});
