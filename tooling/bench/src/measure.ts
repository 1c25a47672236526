// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One measured command: wall and CPU seconds, and the peak resident memory of its largest process in MB. The latter two
 * are of the command and those it waits for; undefined where others do the work.
 */
export interface Sample {
  readonly wall: number;
  readonly cpu: number | undefined;
  readonly rss: number | undefined;
}

/** Of a command itself everything is known. */
type Measured = Readonly<Record<keyof Sample, number>>;

/** A command line, or several that together do one job (their times add up, their peaks do not). */
export type Job = readonly (readonly string[])[];

/** Runs a job to its end and measures it. A failing command stops the bench with what it printed. */
export function measure(job: Job, env: NodeJS.ProcessEnv, scratch: string): Measured {
  const samples = job.map((command) => measureCommand(command, env, join(scratch, 'time-report')));
  return {
    wall: samples.reduce((sum, { wall }) => sum + wall, 0),
    cpu: samples.reduce((sum, { cpu }) => sum + cpu, 0),
    rss: Math.max(...samples.map(({ rss }) => rss)),
  };
}

function measureCommand(command: readonly string[], env: NodeJS.ProcessEnv, report: string): Measured {
  try {
    const started = performance.now();
    const result = spawnSync('/usr/bin/time', ['-q', '-f', '%U %S %M', '-o', report, ...command], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const wall = (performance.now() - started) / 1000;
    if (result.status !== 0)
      throw new Error(`${command.join(' ')} ended with ${result.status}\n${result.stdout}${result.stderr}`);
    const [user = 0, system = 0, rss = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
    return { wall, cpu: user + system, rss: rss / 1024 };
  } finally {
    rmSync(report, { force: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function medianSample(samples: readonly Sample[]): Sample {
  return {
    wall: median(samples.map(({ wall }) => wall)),
    cpu: medianOfKnown(samples.map(({ cpu }) => cpu)),
    rss: medianOfKnown(samples.map(({ rss }) => rss)),
  };
}

function medianOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}
