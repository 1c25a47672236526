// SPDX-License-Identifier: Apache-2.0
import type { PodRow } from '../pods/measure-pods.ts';
import { table } from './table.ts';

export const PODS_TITLE = '## Pods';

/** Many pods at once, running ones and ended ones, each beside what it is to stay below. */
export function podSection(rows: readonly PodRow[], rounds: number): readonly string[] {
  return [
    PODS_TITLE,
    '',
    `Wall seconds, medians of ${rounds} interleaved rounds, network none; memory as said. The last column is the budget, a`,
    'share of podman’s or an amount. The 1,000 and the 100 pods are an ended one and copies of its directory.',
    '',
    ...table(
      ['', 'rkt', 'podman', 'rkt / podman', 'budget'],
      rows.map((row) => [row.what, amount(row, row.rkt), amount(row, row.podman), share(row), budget(row)]),
    ),
    '',
  ];
}

function amount({ unit }: PodRow, value: number | undefined): string {
  return value === undefined ? '–' : `${value.toFixed(unit === 'MB' || value >= 1 ? 2 : 3)} ${unit}`;
}

function share({ rkt, podman }: PodRow): string {
  return podman === undefined ? '–' : (rkt / podman).toFixed(2);
}

function budget(row: PodRow): string {
  return 'share' in row.budget ? row.budget.share.toFixed(2) : amount(row, row.budget.most);
}
