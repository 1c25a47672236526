// SPDX-License-Identifier: Apache-2.0
import type { Pod, PodApp } from '@rkt/stage1';
import { failureStatus } from '../exit-status.ts';

/**
 * The status an app has left: its own, also while other apps of the pod still run; in a pod that is over, that of
 * `rkt run` when the app could not be started. Undefined for one that nobody saw end.
 */
export function appExit(pod: Pod, app: PodApp): number | undefined {
  const { exitCode, startedAt, finishedAt } = app;
  if (exitCode !== undefined) return exitCode;
  if (!isOver(pod)) return undefined;
  return startedAt === undefined || finishedAt !== undefined ? failureStatus : undefined;
}

/** Whether a pod has been run and runs no more. What never was run goes to the garbage by another way. */
function isOver({ state }: Pod): boolean {
  return state.startsWith('exited');
}
