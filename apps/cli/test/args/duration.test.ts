// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/args/duration.ts';

describe('durations', () => {
  it.each([
    ['0', 0, '0s'],
    ['0s', 0, '0s'],
    ['30m', 1_800_000, '30m0s'],
    ['24h', 86_400_000, '24h0m0s'],
    ['1h30m5s', 5_405_000, '1h30m5s'],
    ['1.5h', 5_400_000, '1h30m0s'],
    ['500ms', 500, '0.5s'],
    ['5', 5_000, '5s'],
  ])('%s is %d ms and prints as %s', (text, milliseconds, printed) => {
    expect(parseDuration(text)).toBe(milliseconds);
    expect(formatDuration(milliseconds)).toBe(printed);
  });

  it.each(['', 'abc', '-5', '5.5', '-5s', '5 s', '5sx', 's', '1e3s', `${'9'.repeat(40)}h`])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow('it must be a duration');
  });
});
