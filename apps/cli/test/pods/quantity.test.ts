// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { parseBytes } from '../../src/pods/quantity.ts';

it.each([
  ['64m', '64Mi'],
  ['1g', '1Gi'],
  ['1.5g', '1.5Gi'],
  ['2t', '2Ti'],
  ['512b', '512'],
  ['64mb', '64Mi'],
  ['64MB', '64Mi'],
  ['64MiB', '64Mi'],
  ['64M', '64M'],
  ['64Mi', '64Mi'],
  ['512k', '512k'],
  ['1e6', '1e6'],
  ['7', '7'],
])('%s of memory are %s', (text, quantity) => {
  expect(parseBytes(text)).toBe(quantity);
});

it.each(['', 'm', '64mm', '64 m', '-1g', '1gg', '1x', '0x1m', `${'9'.repeat(40)}m`])(
  '%j is no amount of memory',
  (text) => {
    expect(() => parseBytes(text)).toThrow('it must be a number of bytes such as');
  },
);
