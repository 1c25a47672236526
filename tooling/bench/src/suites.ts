// SPDX-License-Identifier: Apache-2.0

import { settle } from './arena/disk.ts';
import type { BenchImage } from './arena/images.ts';
import { measure, medianSample, type Sample } from './measure.ts';
import type { Network, Tool } from './tools/tool.ts';

/** One row of a table: what was done, and what each tool needed for it (undefined: the tool cannot). */
export interface Row {
  readonly what: string;
  readonly results: ReadonlyMap<string, Sample | undefined>;
}

export interface DiskRow {
  readonly what: string;
  readonly bytes: ReadonlyMap<string, number>;
}

interface Suite {
  readonly tools: readonly Tool[];
  readonly rounds: number;
  readonly say: (text: string) => void;
}

/** Pulls into an empty store, tools taking turns, so that a slow minute of the machine hits all of them. */
export function coldFetch(suite: Suite, image: BenchImage, reference: string): { row: Row; disk: DiskRow } {
  const samples = collect(suite, `cold ${image.name}`, (tool) => {
    tool.reset();
    settle();
    return measure(tool.pull(reference), tool.env);
  });
  const bytes = new Map(suite.tools.map((tool) => [tool.name, tool.disk()]));
  return { row: { what: image.what, results: samples }, disk: { what: image.what, bytes } };
}

/** Pulls what the store has already and the registry has not changed. */
export function warmFetch(suite: Suite, image: BenchImage, reference: string): Row {
  const samples = collect(suite, `warm ${image.name}`, (tool) => measure(tool.refresh(reference), tool.env));
  return { what: `${image.what}, unchanged`, results: samples };
}

/** Pulls the second of two images that share all but the top layer. */
export function sharedFetch(suite: Suite, references: readonly [string, string]): Row {
  const samples = collect(suite, 'shared base', (tool) => {
    tool.reset();
    measure(tool.pull(references[0]), tool.env);
    settle();
    return measure(tool.pull(references[1]), tool.env);
  });
  return { what: 'second image on a shared base', results: samples };
}

/** Runs `true` from a stored image. */
export function warmRun(suite: Suite, reference: string, network: Network): Row {
  const samples = collect(suite, `run, network ${network}`, (tool) => {
    const job = tool.run(reference, network);
    if (job === undefined) return undefined;
    const sample = measure(job, tool.env);
    tool.tidy();
    return sample;
  });
  return { what: `run true, network ${network}`, results: samples };
}

function collect(
  suite: Suite,
  what: string,
  once: (tool: Tool) => Sample | undefined,
): Map<string, Sample | undefined> {
  const all = new Map<string, Sample[]>(suite.tools.map((tool) => [tool.name, []]));
  for (let round = 1; round <= suite.rounds; round++) {
    for (const tool of suite.tools) {
      const sample = once(tool);
      if (sample === undefined) continue;
      all.get(tool.name)?.push(sample);
      suite.say(`${what}, round ${round}, ${tool.name}: ${sample.wall.toFixed(3)} s`);
    }
  }
  return new Map([...all].map(([name, samples]) => [name, samples.length > 0 ? medianSample(samples) : undefined]));
}
