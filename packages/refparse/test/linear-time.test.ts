// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { digestFault } from '../src/digest.ts';
import { domainFault, looksLikeDomain } from '../src/domain.ts';
import { pathFault, tagFault } from '../src/grammar.ts';
import { tryParseReference } from '../src/index.ts';
import { processorTime } from './processor-time.ts';

/** Shapes that make backtracking grammars polynomial. The scanners are called directly: parse caps its input. */
const shapes: readonly (readonly [string, (text: string) => unknown, (n: number) => string])[] = [
  ['path of letters', pathFault, (n) => `${'a'.repeat(n)}!`],
  ['path of separators', pathFault, (n) => `${'a-'.repeat(n)}!`],
  ['path of hyphens', pathFault, (n) => `a${'-'.repeat(n)}!`],
  ['path of slashes', pathFault, (n) => `${'a/'.repeat(n)}!`],
  ['tag', tagFault, (n) => `${'a.'.repeat(n)}!`],
  ['digest', digestFault, (n) => `sha256:${'a'.repeat(n)}!`],
  ['domain test', (text) => looksLikeDomain(text), (n) => 'a'.repeat(n)],
  ['domain of labels', domainFault, (n) => `${'a.'.repeat(n)}!`],
];

it.each(shapes)('%s: a hundred times the input takes far less than the square', (_name, scan, shape) => {
  const time = (n: number, rounds: number): number => {
    const text = shape(n);
    return processorTime(rounds, () => scan(text));
  };
  time(20_000, 5);
  const small = Math.max(time(20_000, 100), 0.1);
  // A quadratic scanner would need 10,000 times as long; 1,000 leaves room for its noise.
  expect(time(2_000_000, 3)).toBeLessThan(small * 1000);
});

it('refuses what is too long without reading it', () => {
  const start = performance.now();
  expect(tryParseReference('a'.repeat(50_000_000))).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(500);
});
