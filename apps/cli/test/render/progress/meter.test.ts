// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { type Meter, rateOf, startMeter, tick } from '../../../src/render/progress/meter.ts';

function fed(received: readonly (readonly [time: number, received: number])[]): Meter {
  return received.reduce((meter, [time, bytes]) => tick(meter, bytes, time), startMeter(0));
}

it.each([
  ['nothing has come', [], 400, undefined],
  ['nothing has come for a second', [], 1000, 0],
  ['it has hardly begun', [[100, 5000]], 400, undefined],
  ['half a second is over', [[500, 5000]], 500, 10_000],
  [
    'it goes on',
    [
      [500, 5000],
      [1000, 20_000],
    ],
    1000,
    20_000,
  ],
  [
    'it has become faster',
    [
      [1000, 10],
      [10_000, 20],
      [11_000, 1020],
      [12_000, 2020],
      [14_900, 5020],
    ],
    15_000,
    1000,
  ],
  ['nothing comes any more', [[1000, 1000]], 4000, 250],
  ['nothing has come for long', [[1000, 1000]], 9000, 0],
  [
    'it was begun anew',
    [
      [1000, 9000],
      [1100, 0],
      [2100, 1000],
    ],
    2100,
    1000,
  ],
] as const)('a rate when %s', (_when, received, now, rate) => {
  expect(rateOf(fed(received), now)).toBe(rate);
});

it('a meter keeps no more than it needs', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => [at * 100, at] as const);
  expect(fed(many).samples.length).toBeLessThan(60);
});
