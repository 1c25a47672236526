// SPDX-License-Identifier: Apache-2.0
import type { HealthCheck } from './health-check.ts';

/** What checks have found out about an app since it was started. Plain JSON. */
export interface Health {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  /** Failures since the last success. */
  readonly failures: number;
  /** Of the last check: milliseconds since the epoch, and the status of its command; absent when it took too long. */
  readonly checkedAt?: number;
  readonly exitCode?: number;
}

export interface CheckOutcome {
  readonly checkedAt: number;
  /** When the app was started. */
  readonly startedAt: number;
  /** Undefined: it took too long. */
  readonly exitCode: number | undefined;
}

export const unchecked: Health = { status: 'starting', failures: 0 };

/** What one more check makes of it: docker's rules. Pure. */
export function checkedHealth(before: Health, check: HealthCheck, outcome: CheckOutcome): Health {
  const { checkedAt, startedAt, exitCode } = outcome;
  const seen = { checkedAt, ...(exitCode !== undefined && { exitCode }) };
  if (exitCode === 0) return { status: 'healthy', failures: 0, ...seen };
  const isStarting = before.status === 'starting' && checkedAt - startedAt < check.startPeriodMs;
  if (isStarting) return { status: 'starting', failures: before.failures, ...seen };
  const failures = before.failures + 1;
  return { status: failures >= check.retries ? 'unhealthy' : before.status, failures, ...seen };
}
