// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { mountFreshDisk } from './arena/disk.ts';
import { type BenchImage, benchImages, composeBenchImage } from './arena/images.ts';
import { push, startRegistry } from './arena/registry.ts';
import type { Results } from './report/markdown.ts';
import { coldFetch, firstRun, type Suite, sharedFetch, warmFetch, warmRun } from './suites.ts';
import { ctrTool } from './tools/ctr.ts';
import { podmanTool } from './tools/podman.ts';
import { rktTool } from './tools/rkt.ts';
import { runcTool } from './tools/runc.ts';
import { skopeoUmociTool } from './tools/skopeo-umoci.ts';
import type { Tool } from './tools/tool.ts';

export { markdown, type Results } from './report/markdown.ts';
export { svg } from './report/picture.ts';

export interface BenchOptions {
  /** The working copy. */
  readonly repository: string;
  /** Images and the registry's blobs are kept here between runs. */
  readonly cacheDir: string;
  readonly executable: string;
  readonly rounds: number;
  /** Leave out images whose names are not here. @default all */
  readonly images?: readonly string[];
  readonly say: (text: string) => void;
}

/** Composes and serves the images, measures every tool, and gives the figures. Must run in a mount namespace of its own. */
export async function bench(options: BenchOptions): Promise<Results> {
  const chosen = benchImages.filter(({ name }) => options.images?.includes(name) ?? true);
  const served = join(options.cacheDir, 'registry');
  const registry = await startRegistry(served);
  try {
    // Runs are always measured, with the tiny image.
    for (const name of new Set([...chosen.map((image) => image.name), 'tiny'])) {
      options.say(`image ${name}: composing and pushing unless an earlier run did`);
      push(registry, served, await composeBenchImage(name, join(options.cacheDir, 'images'), options.repository), name);
    }
    return await inFreshArena(options, (arena) => measureAll(options, arena, chosen, registry.host));
  } finally {
    registry.close();
  }
}

async function inFreshArena(options: BenchOptions, body: (arena: string) => Results): Promise<Results> {
  mkdirSync(options.cacheDir, { recursive: true });
  const arena = join(options.cacheDir, 'arena');
  const unmount = mountFreshDisk(arena, 24);
  try {
    return body(arena);
  } finally {
    unmount();
  }
}

function measureAll(options: BenchOptions, arena: string, images: readonly BenchImage[], host: string): Results {
  // What one tool has started ends also when the next cannot be set up.
  using stack = new DisposableStack();
  const open = <T extends Tool>(tool: T): T => stack.adopt(tool, () => tool.close());
  const rkt = open(rktTool(options.executable, arena));
  const podman = open(podmanTool(arena));
  const skopeoUmoci = open(skopeoUmociTool(arena));
  const ctr = open(ctrTool(arena));
  const runc = open(runcTool(arena));
  const pulling: Suite = {
    tools: [rkt, podman, skopeoUmoci, ctr],
    rounds: options.rounds,
    scratch: arena,
    say: options.say,
  };
  const both: Suite = { ...pulling, tools: [rkt, podman, ctr] };
  const running: Suite = { ...pulling, tools: [...both.tools, runc], rounds: options.rounds * 3 };
  const single = images.filter(({ name }) => !name.startsWith('shared-'));
  const measured = single.map((image) => measureImage(pulling, both, image, `${host}/${image.name}:latest`));
  const [first, second] = images.filter(({ name }) => name.startsWith('shared-')).map(({ name }) => name);
  const shared =
    first !== undefined && second !== undefined
      ? [sharedFetch(pulling, [`${host}/${first}:latest`, `${host}/${second}:latest`])]
      : [];
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores`,
    versions: versions(options.executable),
    rounds: options.rounds,
    cold: measured.map(({ row }) => row),
    first: measured.map(({ first }) => first),
    warm: [...measured.map(({ warm }) => warm), ...shared],
    run: runRows(running, `${host}/tiny:latest`),
    disk: measured.map(({ disk }) => disk),
  };
}

function measureImage(pulling: Suite, both: Suite, image: BenchImage, reference: string) {
  const cold = coldFetch(pulling, image, reference);
  const warm = warmFetch(pulling, image, reference);
  return { ...cold, warm, first: firstRun(both, image, reference) };
}

function runRows(suite: Suite, reference: string): Results['run'] {
  for (const tool of suite.tools) {
    for (const [file = '', ...args] of tool.pull(reference)) {
      execFileSync(file, args, { env: tool.env, stdio: 'ignore' });
    }
  }
  return (['host', 'none', 'default'] as const).map((network) => warmRun(suite, reference, network));
}

function versions(executable: string): readonly string[] {
  const commands: readonly (readonly string[])[] = [
    [executable, 'version'],
    ['podman', '--version'],
    ['skopeo', '--version'],
    ['umoci', '--version'],
    ['ctr', '--version'],
    ['runc', '--version'],
    ['uname', '-sr'],
  ];
  return commands.map(([file = '', ...args]) => execFileSync(file, args, { encoding: 'utf8' }).split('\n')[0] ?? '');
}
