// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectConsistent, expectDone } from './faults/consistent.ts';
import { copyStore } from './faults/copy-store.ts';
import { isVisible } from './faults/steps.ts';
import { type Task, tasks } from './faults/tasks.ts';
import { runNode } from './run-node.ts';

/** The page cache outlives a process: what a kill leaves is the same in memory, and hundreds of stores are made. */
const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

describe.each(Object.entries(tasks))('a process that is to %s', (name, task) => {
  it('and is killed before any of its steps leaves nothing half done', async () => {
    const root = mkdtempSync(join(scratch, 'rkt-store-kill-'));
    try {
      await killAtEveryStep(root, name, task);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }, 120_000);
});

async function killAtEveryStep(root: string, name: string, task: Task): Promise<void> {
  const prepared = join(root, 'prepared');
  await task.prepare(prepared);
  const hadKept = existsSync(prepared);
  const copy = (as: string): string => {
    const dir = join(root, as);
    if (hadKept) copyStore(prepared, dir);
    return dir;
  };
  const whole = await runNode('run-task.ts', copy('whole'), name);
  expect(whole).toMatchObject({ status: 0, stderr: '' });
  await expectDone(join(root, 'whole'), task);
  const steps = whole.stdout.split('\n');
  await expect(`${inOneOrder(steps).join('\n')}\n`).toMatchFileSnapshot(
    `faults/recorded/${name.replaceAll(' ', '-')}.txt`,
  );
  const killPoints = steps.flatMap((step, at) => (isVisible(step) ? [at + 1] : []));
  await inPairs(killPoints, async (killAt) => {
    const dir = copy(String(killAt));
    const outcome = await runNode('run-task.ts', dir, name, String(killAt));
    expect(outcome.signal, outcome.stderr).toBe('SIGKILL');
    await expectConsistent(dir, task, { hadKept });
    rmSync(dir, { recursive: true });
  });
}

/** Names of several directories are made durable at once: which of them comes first is the kernel's choice. */
function inOneOrder(steps: readonly string[]): readonly string[] {
  const ordered = [...steps];
  for (let from = 0, to = 0; from < steps.length; from = to) {
    const isSync = (step: string | undefined): boolean => step?.startsWith('fsync ') === true;
    for (to = from + 1; isSync(steps[from]) && isSync(steps[to]); ) to++;
    ordered.splice(from, to - from, ...steps.slice(from, to).toSorted());
  }
  return ordered;
}

/** The machine has two cores; each round is a process of its own. */
async function inPairs<T>(items: readonly T[], round: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const work = async (): Promise<void> => {
    for (const item of rest) await round(item);
  };
  await Promise.all([work(), work()]);
}
