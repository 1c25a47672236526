// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { exposureWarning } from '../../src/command/exposure-warning.ts';

it.each([
  ['everyone', 'every user can read the passwords in /a'],
  ['group', 'the group of its owner can read the passwords in /a'],
] as const)('a file of passwords for %s is told as what it is', (exposure, text) => {
  expect(exposureWarning('/a', exposure)).toBe(text);
});
