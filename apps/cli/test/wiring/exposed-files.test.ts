// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { exposureOf } from '../../src/wiring/config/exposed-files.ts';

it.each([
  ['everyone', 'every user can read the passwords in "/a/\\u000ab": chmod 600 it'],
  ['group', 'the group of its owner can read the passwords in "/a/\\u000ab": chmod 600 it'],
] as const)('a file of passwords for %s is told with what to do', (exposure, text) => {
  expect(exposureOf({ path: '/a/\nb', exposure })).toBe(text);
});
