// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryError } from '../errors.ts';

/** How often and how patiently a request is repeated. */
export interface RetryPolicy {
  /**
   * Tries in all, at least 1.
   * @default 5
   */
  readonly attempts?: number;
  /**
   * First wait; it doubles, with jitter.
   * @default 1000
   */
  readonly baseMs?: number;
  /** @default 30000 */
  readonly maxMs?: number;
  /**
   * A registry that asks for a longer wait than this fails at once.
   * @default 60000
   */
  readonly maxRetryAfterMs?: number;
}

/** Told before a wait. An observation: a throw rejects the operation. */
export interface RetryEvent {
  readonly type: 'registry:retry';
  readonly attempt: number;
  readonly waitMs: number;
  readonly error: RegistryError;
}

export interface Retrying {
  readonly policy: Required<RetryPolicy>;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
}

export const DEFAULT_RETRY: Required<RetryPolicy> = {
  attempts: 5,
  baseMs: 1000,
  maxMs: 30_000,
  maxRetryAfterMs: 60_000,
};

/** Runs `work` until it succeeds, fails for good, or has been tried `attempts` times. */
export async function withRetries<T>(
  retrying: Retrying,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      await waitBeforeRetry(retrying, { attempt, error, signal });
    }
  }
}

/** The same for one try: what is repeated as a whole must not be repeated inside as well. */
export function onlyOnce(retrying: Retrying): Retrying {
  return { ...retrying, policy: { ...retrying.policy, attempts: 1 } };
}

/** A failed try. */
export interface FailedAttempt {
  /** 1 for the first. */
  readonly attempt: number;
  readonly error: unknown;
  readonly signal: AbortSignal | undefined;
}

/** Waits as long as the failure and the policy say; throws the failure when there is no point in another try. */
export async function waitBeforeRetry(retrying: Retrying, failed: FailedAttempt): Promise<void> {
  const { error, attempt, signal } = failed;
  signal?.throwIfAborted();
  const { policy } = retrying;
  if (!(error instanceof RegistryError) || !error.transient || attempt >= policy.attempts) throw error;
  const asked = error.retryAfterMs ?? 0;
  if (asked > policy.maxRetryAfterMs) throw error;
  const backoff = Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1));
  // Half of the wait is random, so that clients that failed together do not come back together.
  const waitMs = Math.max(asked, Math.round(backoff / 2 + Math.random() * (backoff / 2)));
  retrying.onRetry?.({ type: 'registry:retry', attempt, waitMs, error });
  try {
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  } catch (interrupted) {
    signal?.throwIfAborted();
    throw interrupted;
  }
}
