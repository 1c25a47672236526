// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isNotFound, toStoreError } from '../errors.ts';
import { tryFlock } from '../host/libc.ts';
import type { AbortOptions } from '../store.ts';
import { PRIVATE } from './modes.ts';

/** Exclusive hold on a lock file until released, or until the process dies. */
export interface FileLock extends AsyncDisposable {
  /** Idempotent. */
  release(): void;
}

export interface AcquireOptions extends AbortOptions {
  /** Called once, when the lock turns out to be taken. */
  readonly onWait?: () => void;
}

const FIRST_DELAY_MS = 5;
const LONGEST_DELAY_MS = 50;

/**
 * Takes the lock, waiting for as long as somebody else has it. Waiting is polling with growing pauses: a blocking
 * flock(2) would stop the event loop, and with it the very work another task of this process may hold the lock for.
 */
export async function acquireLock(path: string, options: AcquireOptions = {}): Promise<FileLock> {
  let pause = FIRST_DELAY_MS;
  for (let attempt = 0; ; attempt += 1) {
    options.signal?.throwIfAborted();
    const lock = await tryLock(path);
    if (lock !== undefined) return lock;
    if (attempt === 0) options.onWait?.();
    await pauseFor(pause, options.signal);
    pause = Math.min(LONGEST_DELAY_MS, pause * 2);
  }
}

/** Takes the lock if nobody has it. */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  let fd: number;
  try {
    fd = openSync(path, 'a', PRIVATE.file);
  } catch (error) {
    throw toStoreError(error, 'cannot lock the store', path);
  }
  try {
    // A holder removes the file when done: what we locked may no longer be what the name stands for.
    if ((await tryFlock(fd)) && isSameFile(fd, path)) return heldLock(fd, path);
  } catch (error) {
    closeSync(fd);
    throw toStoreError(error, 'cannot lock the store', path);
  }
  closeSync(fd);
  return undefined;
}

function heldLock(fd: number, path: string): FileLock {
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    try {
      rmSync(path, { force: true });
    } catch {
      // What the lock was for is done. A name that stays costs nothing: whoever comes next locks it, `gc` removes it.
    } finally {
      closeSync(fd);
    }
  };
  return {
    release,
    [Symbol.asyncDispose]: async () => release(),
  };
}

function isSameFile(fd: number, path: string): boolean {
  try {
    const ours = fstatSync(fd, { bigint: true });
    const named = statSync(path, { bigint: true });
    return ours.ino === named.ino && ours.dev === named.dev;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function pauseFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
