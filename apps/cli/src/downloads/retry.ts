// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { isRegistryError } from '@rkt/registry';
import { StatusError } from './status-error.ts';

export interface Patience {
  /** Tries in all. */
  readonly attempts: number;
  /** The first wait in milliseconds; each one is twice as long as the one before. */
  readonly baseMs: number;
  readonly signal: AbortSignal;
}

const LONGEST_WAIT_MS = 60_000;

/** Waits before another try, `attempt` of them having failed; throws the failure where there is no point in one. */
export async function waitBeforeRetry(
  error: unknown,
  attempt: number,
  { attempts, baseMs, signal }: Patience,
): Promise<void> {
  signal.throwIfAborted();
  const asked = error instanceof StatusError ? error.retryAfterMs : isTransient(error) ? 0 : undefined;
  if (asked === undefined || asked > LONGEST_WAIT_MS || attempt >= attempts) throw error;
  const backoff = baseMs * 2 ** (attempt - 1);
  try {
    await sleep(Math.max(asked, backoff / 2 + Math.random() * (backoff / 2)), undefined, { signal });
  } catch (interrupted) {
    signal.throwIfAborted();
    throw interrupted;
  }
}

function isTransient(error: unknown): boolean {
  return isRegistryError(error) && error.transient;
}
