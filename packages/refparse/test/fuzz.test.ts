// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzz/fuzz.ts';
import { inputs, randomNumbers } from './fuzz/inputs.ts';

describe('the properties of all functions', () => {
  it('hold for random and mutated inputs', { timeout: 60_000 }, () => {
    expect(fuzz({ seed: 1, count: 4000, milliseconds: Number.POSITIVE_INFINITY })).toBe(4000);
  });

  it('are tried on the same inputs for the same seed, large ones among them', () => {
    const take = (seed: number): readonly string[] => {
      const endless = inputs(['nginx', 'a/b:c'], randomNumbers(seed));
      return Array.from({ length: 2000 }, () => endless.next().value);
    };
    expect(take(7)).toEqual(take(7));
    expect(take(7)).not.toEqual(take(8));
    expect(take(7).filter(({ length }) => length >= 50_000).length).toBeGreaterThan(0);
  });
});
