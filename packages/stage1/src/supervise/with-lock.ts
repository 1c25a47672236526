// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeContext } from '../context.ts';
import { isStage1Error, Stage1Error } from '../error.ts';
import { eventually } from '../eventually.ts';
import { hasCode, type PodLocation } from '../pod/index.ts';

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

/** Whether somebody works under a lock right now. */
export async function isLockTaken({ host }: RuntimeContext, { file }: Lock): Promise<boolean> {
  const { syscalls } = await host.kernel();
  let lock: number;
  try {
    lock = openSync(file, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    return !syscalls.flock(lock, 'shared');
  } finally {
    closeSync(lock);
  }
}

/** Of whoever adds, starts or removes an app. */
export function appLock({ id, dir }: PodLocation, name: string, signal: AbortSignal | undefined): Lock {
  return { file: join(dir, 'locks', name), what: `app "${name}" of pod ${id}`, signal };
}

/** The same for work that can do without: undefined when another does not give the lock up, or there never was one. */
export async function tryWithLock<T>(
  context: RuntimeContext,
  lock: Lock,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await withLock(context, lock, work);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || (isStage1Error(error) && error.code === 'ERR_RKT_STAGE1_POD_RUNNING'))
      return undefined;
    throw error;
  }
}
