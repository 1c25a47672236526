// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measure, median } from '../measure.ts';
import { monitorMemory } from './monitor-memory.ts';
import type { PodTool } from './pod-tools.ts';

/** One line of the table: seconds or megabytes of each tool (undefined: not measured), and what rkt is to stay below. */
export interface PodRow {
  readonly what: string;
  readonly unit: 's' | 'MB';
  readonly rkt: number;
  readonly podman: number | undefined;
  /** A share of podman's, or an amount. */
  readonly budget: { readonly share: number } | { readonly most: number };
}

export interface PodBench {
  readonly rkt: PodTool;
  readonly podman: PodTool;
  /** Data directory of rkt, and what podman's monitors have in their arguments. */
  readonly dirs: { readonly rkt: string; readonly podman: string };
  readonly executable: string;
  readonly image: string;
  readonly rounds: number;
  readonly scratch: string;
  readonly say: (text: string) => void;
}

const atOnce = 50;
const listed = 1_000;
const collected = 100;
const detached = 10;

export function measurePods(bench: PodBench): readonly PodRow[] {
  for (const { tool } of [bench.rkt, bench.podman]) {
    for (const [file = '', ...args] of tool.pull(bench.image))
      execFileSync(file, args, { env: tool.env, stdio: 'ignore' });
  }
  return [manyAtOnce(bench), ...whileRunning(bench), ...ofEnded(bench)];
}

function manyAtOnce(bench: PodBench): PodRow {
  const script = `for i in $(seq ${atOnce}); do "$@" & done; wait`;
  const job = (tool: PodTool) => [['/bin/sh', '-c', script, 'sh', ...tool.run(bench.image)]];
  return compared(bench, { what: `${atOnce} pods of \`true\` at once`, job, share: 0.5 });
}

/** Detached pods of each tool, which others than the measured one do not disturb: they sleep. */
function whileRunning(bench: PodBench): readonly PodRow[] {
  const ids = new Map<PodTool, readonly string[]>();
  try {
    for (const tool of [bench.rkt, bench.podman]) {
      ids.set(
        tool,
        Array.from({ length: detached }, () => tool.detach(bench.image)),
      );
    }
    const job = (tool: PodTool) => [tool.exec(ids.get(tool)?.[0] ?? '', ['/bin/true'])];
    return [
      compared(bench, { what: '`enter` of `true`, `podman exec`', job, share: 0.5 }),
      {
        what: `what stays of a detached pod beside its app, of ${detached}, PSS`,
        unit: 'MB',
        rkt: monitorMemory(bench.dirs.rkt) / detached,
        podman: monitorMemory(bench.dirs.podman) / detached,
        budget: { share: 1.2 },
      },
    ];
  } finally {
    for (const [tool, running] of ids) tool.stopAll(running);
  }
}

/** An ended pod and copies of its directory: pods in every respect but that their apps have not been run. */
function ofEnded(bench: PodBench): readonly PodRow[] {
  const { rkt, dirs, image, scratch } = bench;
  const id = rkt.detach(image);
  rkt.stopAll([id]);
  const run = join(dirs.rkt, 'pods', 'run');
  const kept = join(scratch, 'kept-pod');
  cpSync(join(run, id), kept, { recursive: true });
  const fill = (count: number): void => {
    for (let made = readdirSync(run).length; made < count; made++) {
      cpSync(kept, join(run, randomUUID()), { recursive: true });
    }
  };
  const row = (what: string, args: readonly string[], { count, most }: { count: number; most: number }): PodRow => {
    const walls = Array.from({ length: bench.rounds }, (_, round) => {
      fill(count);
      const { wall } = measure([[bench.executable, `--dir=${dirs.rkt}`, ...args]], rkt.tool.env, scratch);
      bench.say(`${what}, round ${round + 1}: ${wall.toFixed(3)} s`);
      return wall;
    });
    return { what, unit: 's', rkt: median(walls), podman: undefined, budget: { most } };
  };
  const list = row(`\`list\` of ${listed} pods`, ['list'], { count: listed, most: 0.15 });
  rmSync(run, { recursive: true });
  mkdirSync(run, { mode: 0o700 });
  const gc = row(`\`gc\` of ${collected} pods`, ['gc', '--grace-period=0s'], { count: collected, most: 1.5 });
  rmSync(kept, { recursive: true });
  return [list, gc];
}

interface Comparison {
  readonly what: string;
  readonly job: (tool: PodTool) => readonly (readonly string[])[];
  readonly share: number;
}

/** Tools taking turns. */
function compared(bench: PodBench, { what, job, share }: Comparison): PodRow {
  const walls = new Map<PodTool, number[]>([
    [bench.rkt, []],
    [bench.podman, []],
  ]);
  for (let round = 1; round <= bench.rounds; round++) {
    for (const [tool, seen] of walls) {
      const { wall } = measure(job(tool), tool.tool.env, bench.scratch);
      seen.push(wall);
      bench.say(`${what}, round ${round}, ${tool.tool.name}: ${wall.toFixed(3)} s`);
    }
  }
  const of = (tool: PodTool) => median(walls.get(tool) ?? []);
  return { what, unit: 's', rkt: of(bench.rkt), podman: of(bench.podman), budget: { share } };
}
