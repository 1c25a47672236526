// SPDX-License-Identifier: Apache-2.0
import { defaultLayerLimits, type LayerLimits } from '@rkt/appc';
import { expect, it } from 'vitest';
import { createUpperBudget, type UpperBudget } from '../../src/trees/overlay/upper-budget.ts';

const budgetOf = (limits: Partial<LayerLimits>): UpperBudget => createUpperBudget({ ...defaultLayerLimits, ...limits });
const refused = expect.objectContaining({ code: 'ERR_RKT_STORE_TREE_UNSUPPORTED', subject: 'one-more' });

it.each<[string, Partial<LayerLimits>, (budget: UpperBudget, path: string) => void]>([
  ['names', { maxEntries: 2 }, (budget, path) => budget.name(path)],
  ['bytes of names', { maxMetadataBytes: 20 }, (budget, path) => budget.name(path)],
  ['bytes of link targets', { maxMetadataBytes: 20 }, (budget, path) => budget.texts(path, 8, 0)],
  ['bytes of attributes', { maxMetadataBytes: 20 }, (budget, path) => budget.texts(path, 0, 8)],
  ['bytes of holes', { maxHoleBytes: 20 }, (budget, path) => budget.content(path, 9n, 1n)],
])('gives as many %s as fetching takes', (_, limits, take) => {
  const budget = budgetOf(limits);
  take(budget, '12345678');
  take(budget, '12345678');
  expect(() => take(budget, 'one-more')).toThrow(refused);
});

it('gives no path and no attributes of one file that are longer than those of an archive', () => {
  const budget = budgetOf({ maxPathBytes: 7, maxXattrBytes: 8 });
  budget.name('1234567');
  expect(() => budget.name('one-more')).toThrow(refused);
  budget.texts('one-more', 1000, 8);
  expect(() => budget.texts('one-more', 0, 9)).toThrow(refused);
});

it.each([1, -1])('gives no time that is further than those of an archive', (sign) => {
  const budget = budgetOf({});
  budget.time('last', sign * 2 ** 51);
  expect(() => budget.time('one-more', sign * (2 ** 51 + 1))).toThrow(refused);
});

it('counts no hole where more is on the disk than in the file', () => {
  const budget = budgetOf({ maxHoleBytes: 0 });
  budget.content('preallocated', 1n, 4096n);
});
