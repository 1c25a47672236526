// SPDX-License-Identifier: Apache-2.0
import type { Layout } from './cas/layout.ts';
import type { Modes } from './cas/modes.ts';
import { isDiskFull, StoreError } from './errors.ts';
import type { Owner } from './host/owner.ts';
import type { Database, Sql } from './records/database.ts';
import type { StartWorker } from './verify/start-worker.ts';

/**
 * Called before every operation that changes the disk, with what is about to happen. Fault injection stops or kills
 * the process here; what it throws fails the operation.
 */
export type StepHook = (step: string) => void;

/** What file operations need of an open store. */
export interface FileContext {
  readonly layout: Layout;
  readonly owner: Owner;
  readonly modes: Modes;
  readonly step: StepHook;
}

/** What an open store is made of. */
export interface StoreContext extends FileContext {
  readonly database: Database;
  readonly readOnly: boolean;
  /** Starts the threads that hash large layers. */
  readonly startWorker: StartWorker;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Layers this store object keeps from being collected, and how often. See `cas/holds.ts`. */
  readonly holds: Map<string, number>;
  /** Names this store object in the database: several may be open in one process. */
  readonly holder: string;
}

/** @throws PERMISSION when the store was opened read-only */
export function requireWritable(context: StoreContext, what: string): void {
  if (!context.readOnly) return;
  throw new StoreError('ERR_RKT_STORE_PERMISSION', `cannot ${what}: the store is open read-only`, {
    path: context.layout.dir,
  });
}

/**
 * Runs the transaction of a disposal. A full disk must not stop it, nor hide the error that is on its way, and a power cut
 * may undo it: what is recorded of this process is void anyway once the process ends.
 */
export function releaseQuietly(context: StoreContext, work: (sql: Sql) => void): void {
  try {
    context.database.transaction(work, { durable: false });
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
