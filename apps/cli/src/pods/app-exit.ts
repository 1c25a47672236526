// SPDX-License-Identifier: Apache-2.0
import type { Pod, PodApp } from '@rkt/stage1';
import { failureStatus } from '../exit-status.ts';
import { isExited } from './pod-states.ts';

/**
 * The status an app has left: its own, also while other apps of the pod still run; in a pod that is over, that of
 * `rkt run` when the app could not be started. Undefined for one that nobody saw end.
 */
export function appExit(pod: Pod, app: PodApp): number | undefined {
  const { exitCode, startedAt, finishedAt } = app;
  if (exitCode !== undefined) return exitCode;
  if (!isExited(pod)) return undefined;
  return startedAt === undefined || finishedAt !== undefined ? failureStatus : undefined;
}
