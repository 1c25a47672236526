// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import type { RuntimeContext } from '../context.ts';
import { Stage1Error } from '../error.ts';
import { eventually } from '../eventually.ts';

export interface Lock {
  readonly file: string;
  /** What is changed by whoever holds it: `the apps of pod ...`. */
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

/** How long another process may take to change the same thing: starting an app, with a monitor, takes longest. */
const patienceMs = 10_000;

/**
 * Works while nobody else does who takes the same lock, in this process or another. The kernel gives it up with the process.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_POD_RUNNING when another does for longer than ten seconds
 */
export async function withLock<T>(
  { host }: RuntimeContext,
  { file, what, signal }: Lock,
  work: () => Promise<T>,
): Promise<T> {
  const { syscalls } = await host.kernel();
  const lock = openSync(file, 'a', 0o600);
  try {
    if (await eventually(() => syscalls.flock(lock, 'exclusive'), patienceMs, signal)) return await work();
    throw new Stage1Error('ERR_RKT_STAGE1_POD_RUNNING', `${what} is being changed by another process`);
  } finally {
    closeSync(lock);
  }
}
