// SPDX-License-Identifier: Apache-2.0

import { settle } from './arena/disk.ts';
import type { BenchImage } from './arena/images.ts';
import { type Job, measure, medianSample, type Sample } from './measure.ts';
import type { Network, Puller, Tool } from './tools/tool.ts';

/** One row of a table: what was done, and what each tool needed for it (undefined: the tool cannot). */
export interface Row {
  readonly what: string;
  readonly results: ReadonlyMap<string, Sample | undefined>;
}

export interface DiskRow {
  readonly what: string;
  readonly bytes: ReadonlyMap<string, number>;
}

export interface Suite<T extends Puller = Tool> {
  readonly tools: readonly T[];
  readonly rounds: number;
  /** A directory of the arena for the measuring itself. */
  readonly scratch: string;
  readonly say: (text: string) => void;
}

/** Pulls into an empty store, tools taking turns, so that a slow minute of the machine hits all of them. */
export function coldFetch(suite: Suite, image: BenchImage, reference: string): { row: Row; disk: DiskRow } {
  const row = coldPull(suite, image, reference);
  const bytes = new Map(suite.tools.map((tool) => [tool.name, tool.disk()]));
  return { row, disk: { what: image.what, bytes } };
}

/** The same of what only pulls. */
export function coldPull<T extends Puller>(suite: Suite<T>, image: BenchImage, reference: string): Row {
  const results = collect(suite, `cold ${image.name}`, (tool) => {
    tool.reset();
    settle();
    return take(suite, tool, tool.pull(reference));
  });
  return { what: image.what, results };
}

/** Pulls what the store has already and the registry has not changed. */
export function warmFetch(suite: Suite, image: BenchImage, reference: string): Row {
  const samples = collect(suite, `warm ${image.name}`, (tool) => take(suite, tool, tool.refresh(reference)));
  return { what: `${image.what}, unchanged`, results: samples };
}

/** Pulls the second of two images that share all but the top layer. */
export function sharedFetch(suite: Suite, references: readonly [string, string]): Row {
  const samples = collect(suite, 'shared base', (tool) => {
    tool.reset();
    take(suite, tool, tool.pull(references[0]));
    settle();
    return take(suite, tool, tool.pull(references[1]));
  });
  return { what: 'second image on a shared base', results: samples };
}

/**
 * From an empty store to the end of a first `true`: what one tool does while it pulls, another may put off until it runs,
 * and together it is the same work.
 */
export function firstRun(suite: Suite, image: BenchImage, reference: string): Row {
  const samples = collect(suite, `first run ${image.name}`, (tool) => {
    const run = tool.run(reference, 'host');
    if (run === undefined) return undefined;
    tool.reset();
    settle();
    return take(suite, tool, [...tool.pull(reference), ...run]);
  });
  return { what: image.what, results: samples };
}

/** Runs `true` from a stored image and removes what that leaves. */
export function warmRun(suite: Suite, reference: string, network: Network): Row {
  const samples = collect(suite, `run, network ${network}`, (tool) => {
    const job = tool.run(reference, network);
    return job === undefined ? undefined : take(suite, tool, job);
  });
  return { what: `run true, network ${network}`, results: samples };
}

/** Of a tool whose daemon does the work, the client's processor time and memory say nothing. */
function take<T extends Puller>(suite: Suite<T>, tool: T, job: Job): Sample {
  const sample = measure(job, tool.env, suite.scratch);
  return tool.hasDaemon ? { wall: sample.wall, cpu: undefined, rss: undefined } : sample;
}

function collect<T extends Puller>(
  suite: Suite<T>,
  what: string,
  once: (tool: T) => Sample | undefined,
): Map<string, Sample | undefined> {
  const all = new Map<string, Sample[]>(suite.tools.map((tool) => [tool.name, []]));
  for (let round = 1; round <= suite.rounds; round++) {
    for (const tool of inTurn(suite.tools, round - 1)) {
      const sample = once(tool);
      if (sample === undefined) continue;
      all.get(tool.name)?.push(sample);
      suite.say(`${what}, round ${round}, ${tool.name}: ${sample.wall.toFixed(3)} s`);
    }
  }
  return new Map([...all].map(([name, samples]) => [name, samples.length > 0 ? medianSample(samples) : undefined]));
}

/** Each round begins with another tool: nobody always runs after the same neighbour, or on caches the first one filled. */
function inTurn<T>(tools: readonly T[], round: number): readonly T[] {
  const first = round % tools.length;
  return [...tools.slice(first), ...tools.slice(0, first)];
}
