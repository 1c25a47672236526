// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFakeHost } from '../../src/testing/index.ts';
import { openRangeReservations, type RangeReservations } from '../../src/users/index.ts';

let dir: string;
let reservations: RangeReservations;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'rkt-ranges-')), 'id-ranges');
  reservations = openRangeReservations(dir, createFakeHost());
});
afterEach(() => rmSync(join(dir, '..'), { recursive: true }));

const podId = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

it('gives pods that begin at the same place ranges of their own, and takes them back', async () => {
  // One process cannot wait for its own fake lock, so one after the other.
  const ranges = [];
  for (const index of [1, 2, 3]) ranges.push(await reservations.reserve(podId(index)));
  expect(new Set(ranges.map(({ first }) => first)).size).toBe(3);
  expect(reservations.owners().toSorted()).toEqual([podId(1), podId(2), podId(3)]);
  await reservations.release(podId(2));
  await reservations.release(podId(2));
  expect(reservations.owners().toSorted()).toEqual([podId(1), podId(3)]);
  expect(await reservations.reserve(podId(4))).toEqual(ranges[1]);
});

it('has none before there is a directory, and takes no notice of what is not its own', async () => {
  expect(reservations.owners()).toEqual([]);
  await reservations.release(podId(1));
  await reservations.reserve(podId(1));
  writeFileSync(join(dir, '123'), 'a file');
  symlinkSync('/etc/passwd', join(dir, '456'));
  expect(reservations.owners()).toEqual([podId(1)]);
  expect(readdirSync(dir)).toContain('456');
});
