// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { exposureOf } from '../../src/auth/exposed-files.ts';
import { fileExposure } from '../../src/index.ts';

const ROOT = 0;
const ANN = 1000;
const USERS = 100;
const RKT = 998;

it.each([
  ['that is private', { mode: 0o100_000 | 0o600, uid: ANN, gid: USERS }, undefined],
  ['of a user, for all users', { mode: 0o100_000 | 0o644, uid: ANN, gid: ANN }, 'everyone'],
  ['of root, for all users', { mode: 0o100_000 | 0o644, uid: ROOT, gid: ROOT }, 'everyone'],
  ['of a user, for others than the group', { mode: 0o100_000 | 0o604, uid: ANN, gid: ANN }, 'everyone'],
  ['of a user, for a group of many', { mode: 0o100_000 | 0o640, uid: ANN, gid: USERS }, 'group'],
  ['of a user, for the group of the user alone', { mode: 0o100_000 | 0o640, uid: ANN, gid: ANN }, undefined],
  ['of a user, for the group of root', { mode: 0o100_000 | 0o640, uid: ANN, gid: ROOT }, undefined],
  ['of root, for the group of root', { mode: 0o100_000 | 0o640, uid: ROOT, gid: ROOT }, undefined],
  ['of root, for those who may use rkt', { mode: 0o100_000 | 0o660, uid: ROOT, gid: RKT }, undefined],
  ['of a user, that a group may write and not read', { mode: 0o100_000 | 0o620, uid: ANN, gid: USERS }, undefined],
] as const)('a file %s', (_what, stats, exposure) => {
  expect(exposureOf(stats)).toBe(exposure);
});

it('a file that is not there is read by nobody', async () => {
  expect(await fileExposure('/nonexistent/auth.json')).toBeUndefined();
});
