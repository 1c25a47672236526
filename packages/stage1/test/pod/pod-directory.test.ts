// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

describe('a pod that is not found', () => {
  it('is lacking where pods are, but not where their directory is missing', () => {
    const pods = openPodDirectory(dir);
    expect([pods.locate(id), pods.lacks(id)]).toEqual([undefined, false]);
    symlinkSync(join(dir, 'disk'), join(dir, 'pods'));
    expect([pods.locate(id), pods.lacks(id)], 'a disk that is not mounted').toEqual([undefined, false]);
    mkdirSync(join(dir, 'disk', 'run'), { recursive: true });
    expect([pods.locate(id), pods.lacks(id)]).toEqual([undefined, true]);
    mkdirSync(join(dir, 'disk', 'garbage', id), { recursive: true });
    expect([pods.locate(id)?.stage, pods.lacks(id)]).toEqual(['garbage', false]);
  });

  it.each<[string, () => void]>([
    ['ENOTDIR', () => writeFileSync(join(dir, 'pods'), '')],
    ['ELOOP', () => symlinkSync('pods', join(dir, 'pods'))],
  ])('is not taken for absent when the system says %s', (code, make) => {
    make();
    const pods = openPodDirectory(dir);
    expect(() => pods.locate(id)).toThrow(expect.objectContaining({ code }));
    expect(() => pods.lacks(id)).toThrow(expect.objectContaining({ code }));
  });
});

it('knows locks of pods by their names, and whether they were its own', () => {
  mkdirSync(join(dir, 'disk'));
  symlinkSync(join(dir, 'disk'), join(dir, 'pods'));
  const lock = `run/${id}/lock`;
  const open = [
    ['disk', lock],
    ['disk', `${lock} (deleted)`],
    ['other', `${lock} (deleted)`],
    ['disk', 'run/somebody/lock (deleted)'],
    ['disk', `run/${id}/locks/app`],
  ].map((names) => join(dir, ...names));
  expect(openPodDirectory(dir).locksAmong(open)).toEqual([
    { id, lost: false },
    { id, lost: true },
    { id, lost: false },
  ]);
});
