// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { deviceNumber, deviceParts } from '../src/host/device-number.ts';

it('is taken apart as it was put together, as the C library does', () => {
  expect(deviceNumber({ major: 259, minor: 70_001 })).toBe(0x1111_0371n);
  for (const major of [0, 1, 255, 256, 4095]) {
    for (const minor of [0, 1, 255, 256, 0xf_ffff]) {
      expect(deviceParts(deviceNumber({ major, minor }))).toEqual({ major, minor });
    }
  }
});
