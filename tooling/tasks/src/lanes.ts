// SPDX-License-Identifier: Apache-2.0
import { gather, run } from './command.ts';

/** Runs one command; rejects when it fails. */
export type Run = typeof run;

/** One of the things that a task does, with `run` for its commands. */
export type Step = readonly [name: string, work: (run: Run) => Promise<void>];

export interface LanesOptions {
  /** Asked before every step: whether no further one is to begin. @default never */
  readonly isStopped?: () => boolean;
  /** @default this process's standard error */
  readonly write?: (text: string | Uint8Array) => void;
}

/**
 * Lanes are at work at the same time; in each, one step comes after the other. What steps of the first lane print is seen as it
 * comes, and of the others, lane by lane, when all have ended; only that they begin is said at once.
 *
 * Rejects, when all have ended, with what failed in the first lane that did; what failed in others is written.
 */
export async function inLanes(lanes: readonly (readonly Step[])[], options: LanesOptions = {}): Promise<void> {
  const write = options.write ?? ((text) => void process.stderr.write(text));
  const asides: (string | Uint8Array)[][] = lanes.slice(1).map(() => []);
  const outcomes = await Promise.allSettled(
    lanes.map((steps, at) => {
      const aside = asides[at - 1];
      if (aside === undefined) return inTurn(steps, { ...options, write, run });
      const say = (text: string | Uint8Array) => void aside.push(text);
      const begins = (name: string) => write(`\n== ${name}, beside the above\n`);
      return inTurn(steps, {
        ...options,
        begins,
        write: say,
        run: (command, spawned) => gather(command, say, spawned),
      });
    }),
  );
  for (const text of asides.flat()) write(text);
  const [first, ...others] = outcomes.filter((outcome) => outcome.status === 'rejected');
  for (const { reason } of others) write(`== failed, too: ${reason instanceof Error ? reason.message : reason}\n`);
  if (first !== undefined) throw first.reason;
}

interface LaneOptions extends Required<Pick<LanesOptions, 'write'>>, Pick<LanesOptions, 'isStopped'> {
  readonly run: Run;
  /** Told of each step when it begins, where what it prints is seen later. */
  readonly begins?: (name: string) => void;
}

async function inTurn(
  steps: readonly Step[],
  { run, write, begins, isStopped = () => false }: LaneOptions,
): Promise<void> {
  for (const [name, work] of steps) {
    if (isStopped()) return;
    const started = performance.now();
    begins?.(name);
    write(`\n== ${name}\n`);
    await work(run);
    write(`== ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  }
}
