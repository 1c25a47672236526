// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openPodDirectory } from '../../src/pod/index.ts';
import { createFakeHost } from '../../src/testing/index.ts';

const id = '11111111-2222-4333-8444-555555555555';
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rkt-pods-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('does not wait for a pod that goes away while somebody else has it', async () => {
  const { syscalls } = await createFakeHost().kernel();
  const pods = openPodDirectory(dir);
  const owner = pods.create(id, syscalls);
  const location = { id, stage: owner.stage, dir: owner.dir };
  const begun = performance.now();
  const waiting = pods.own(location, { syscalls, waitMs: 5_000 });
  rmSync(owner.dir, { recursive: true });
  owner.release();
  expect(await waiting).toBeUndefined();
  expect(performance.now() - begun).toBeLessThan(2_000);
});

it('waits for one that somebody else has for a while', async () => {
  const { syscalls } = await createFakeHost().kernel();
  const pods = openPodDirectory(dir);
  const owner = pods.create(id, syscalls);
  const location = { id, stage: owner.stage, dir: owner.dir };
  expect(await pods.own(location, { syscalls, waitMs: 20 })).toBeUndefined();
  setTimeout(() => owner.release(), 20);
  expect((await pods.own(location, { syscalls, waitMs: 5_000 }))?.id).toBe(id);
});
