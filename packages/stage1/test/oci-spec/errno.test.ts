// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { EAFNOSUPPORT, ENOSYS, EPERM, errnoNumber } from '../../src/oci-spec/seccomp/errno.ts';

it('numbers every errno as this kernel does', () => {
  for (const [name, number] of Object.entries(constants.errno)) expect(errnoNumber(name), name).toBe(number);
  expect([EPERM, ENOSYS, EAFNOSUPPORT].map((number) => number)).toEqual(
    ['EPERM', 'ENOSYS', 'EAFNOSUPPORT'].map(errnoNumber),
  );
});

it('knows the last one, synonyms, and nothing else', () => {
  expect(errnoNumber('EHWPOISON')).toBe(133);
  expect(errnoNumber('ENOTSUP')).toBe(errnoNumber('EOPNOTSUPP'));
  for (const name of ['', '-', 'eperm', 'constructor', 'EDOOFUS']) expect(errnoNumber(name)).toBeUndefined();
});
