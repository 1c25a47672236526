// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { crc32c } from '../../src/trees/erofs/crc32c.ts';

it('computes the check value of CRC-32C, apart from the final inversion', () => {
  expect(~crc32c(Buffer.from('123456789')) >>> 0).toBe(0xe3069283);
});

it('gives the constant the kernel starts from after the magic number and a zero checksum', () => {
  expect(crc32c(Buffer.from('e2e1f5e000000000', 'hex'))).toBe(0x5045b54a);
});
