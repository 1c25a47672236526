// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isStoreError } from '@rkt/store';
import { describe, expect, it } from 'vitest';
import { expectConsistent } from './faults/consistent.ts';
import { copyStore } from './faults/copy-store.ts';
import { followSteps, isVisible } from './faults/steps.ts';
import { type Task, tasks } from './faults/tasks.ts';

const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** What may go wrong at a step: not every step needs room. */
function faultsAt(step: string): readonly Fault[] {
  return /^(open|write|mkdir|fsync|commit|commit-unsynced|extract) /.test(step) ? ['EIO', 'ENOSPC'] : ['EIO'];
}

type Fault = 'EIO' | 'ENOSPC';

describe.each(Object.entries(tasks))('an error of the disk while it is to %s', (_name, task) => {
  it('at any of the steps leaves nothing half done, and is told by its code', async () => {
    const root = mkdtempSync(join(scratch, 'rkt-store-errors-'));
    try {
      await failAtEveryStep(root, task);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }, 120_000);
});

async function failAtEveryStep(root: string, task: Task): Promise<void> {
  const prepared = join(root, 'prepared');
  await task.prepare(prepared);
  const hadKept = existsSync(prepared);
  const failAt = async (at: number, fault: Fault): Promise<readonly string[]> => {
    const dir = join(root, `${at}-${fault}`);
    if (hadKept) copyStore(prepared, dir);
    const { seen, error } = await attempt(dir, task, { at, fault });
    const step = seen[at - 1] ?? '';
    const message = `${fault} at ${at}: ${step}`;
    // A layer or an ACI is written by whoever fetches it.
    const isOurs = error !== undefined && !/^write .*\.(layer|aci)$/.test(step);
    if (isOurs) expect(codeOf(error), message).toMatch(EXPECTED[fault]);
    // A process that lives on still owns what it could not remove.
    if (!/^(unlink|rmdir) /.test(step)) expect(leftIn(dir), message).toEqual([]);
    endOfProcess(dir);
    await expectConsistent(dir, task, { hadKept, again: /^(rename|commit|commit-unsynced|unlink) /.test(step) });
    rmSync(dir, { recursive: true });
    return seen;
  };
  const steps = await failAt(0, 'EIO');
  for (const [index, step] of steps.entries()) {
    for (const fault of faultsAt(step)) await failAt(index + 1, fault);
  }
  expect(steps.filter(isVisible).length).toBeGreaterThan(5);
}

function leftIn(dir: string): readonly string[] {
  const temporary = join(dir, 'cas/tmp');
  return existsSync(temporary) ? readdirSync(temporary).filter((name) => name.startsWith(`${process.pid}-`)) : [];
}

/** What happens to leases, holds and temporary files when the process ends that could not give them up. */
function endOfProcess(dir: string): void {
  for (const name of leftIn(dir)) rmSync(join(dir, 'cas/tmp', name), { recursive: true });
  const path = join(dir, 'cas/db');
  if (!existsSync(path)) return;
  const database = new DatabaseSync(path);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name IN ('leases', 'holds')").all();
  for (const { name } of tables) database.exec(`UPDATE ${name} SET owner = 'ended'`);
  database.close();
}

const EXPECTED = {
  ENOSPC: /^ERR_RKT_STORE_DISK_FULL$/,
  // What cannot be read of a store's own documents may be damage.
  EIO: /^ERR_RKT_STORE_(IO|CORRUPT)$/,
} as const;

interface Attempt {
  readonly seen: readonly string[];
  readonly error: unknown;
}

async function attempt(dir: string, task: Task, { at, fault }: { at: number; fault: Fault }): Promise<Attempt> {
  const steps = await followSteps(dir, (step, name) => {
    if (step === at) throw Object.assign(new Error(`${fault}: injected`), { code: fault, errno: -1, syscall: name });
  });
  try {
    await task.run(dir, steps.onStep);
    return { seen: steps.seen, error: undefined };
  } catch (error) {
    return { seen: steps.seen, error };
  } finally {
    steps.stop();
  }
}

function codeOf(error: unknown): string {
  if (error instanceof SuppressedError) return codeOf(error.suppressed);
  return isStoreError(error) ? error.code : String(error instanceof Error ? error.stack : error);
}
