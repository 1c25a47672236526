// SPDX-License-Identifier: Apache-2.0
import { isLive, type Pod } from '@rkt/stage1';
import { formatDuration } from '../args/duration.ts';
import { CliError } from '../errors.ts';
import type { Session } from '../wiring/session.ts';
import { isExited } from './pod-states.ts';

/** What is waited for. */
export type Milestone = 'exited' | 'ready' | 'healthy';

export interface Patience {
  readonly until: Milestone;
  /** Milliseconds; may be infinite. */
  readonly timeoutMs: number;
}

/**
 * Waits until a pod, whoever runs it, has exited or all of its apps have been started. Gives the pod as it is then.
 * @throws {CliError} ERR_RKT_CLI_POD_STATE when the time is over, or when it cannot come about any more
 */
export async function awaitPod(session: Session, pod: Pod, { until, timeoutMs }: Patience): Promise<Pod> {
  const runtime = await session.runtime();
  const { signal } = session.interrupts;
  const end = performance.now() + timeoutMs;
  const isThere = { exited: isOver, ready: isReady, healthy: isHealthy }[until];
  const now = await runtime.waitPod(pod.id, {
    until: (each) => isThere(each) || isOver(each) || performance.now() >= end,
    signal,
  });
  if (isThere(now)) return now;
  if (isOver(now)) throw new CliError('ERR_RKT_CLI_POD_STATE', `pod "${pod.id}" ended before it was ${until}`);
  const message = `pod "${pod.id}" is not ${until} after ${formatDuration(timeoutMs)}: its state is "${now.state}"`;
  throw new CliError('ERR_RKT_CLI_POD_STATE', message);
}

/** What can only be removed any more, run or not. */
function isOver(pod: Pod): boolean {
  return !isLive(pod) && !['embryo', 'preparing', 'prepared'].includes(pod.state);
}

/** Also when it has ended since: every app of it was started. */
function isReady(pod: Pod): boolean {
  if (!isLive(pod) && !isExited(pod)) return false;
  return pod.apps.every((app) => app.startedAt !== undefined);
}

/** Every app runs or has ended, and those that are checked are healthy. */
function isHealthy(pod: Pod): boolean {
  return (
    pod.state === 'running' &&
    isReady(pod) &&
    pod.apps.every(({ health }) => health?.status !== 'starting' && health?.status !== 'unhealthy')
  );
}
