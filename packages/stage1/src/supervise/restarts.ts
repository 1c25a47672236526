// SPDX-License-Identifier: Apache-2.0
import type { AppRecord } from '../pod/index.ts';

/** An app that has run for so long, in milliseconds, is not one that fails again and again: docker's measure. */
const steadyMs = 10_000;

/** How often an app has been started again since a run of it lasted ten seconds. */
export function restartsInARow(record: AppRecord): number {
  const { startedAt, finishedAt, restartsInARow: before = 0 } = record;
  const ran = startedAt === undefined || finishedAt === undefined ? 0 : finishedAt - startedAt;
  return ran >= steadyMs ? 0 : before;
}

/** What the record of an app that is started again says of that. */
export function countedRestart(record: AppRecord): Required<Pick<AppRecord, 'restarts' | 'restartsInARow'>> {
  return { restarts: (record.restarts ?? 0) + 1, restartsInARow: restartsInARow(record) + 1 };
}
