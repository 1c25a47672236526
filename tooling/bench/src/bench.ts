// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { mountFreshDisk } from './arena/disk.ts';
import { type BenchImage, benchImages, composeBenchImage } from './arena/images.ts';
import { push, startRegistry } from './arena/registry.ts';
import type { Results } from './report/markdown.ts';
import { coldFetch, sharedFetch, warmFetch, warmRun } from './suites.ts';
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

const port = 5055;

/** Composes and serves the images, measures every tool, and gives the figures. Must run in a mount namespace of its own. */
export async function bench(options: BenchOptions): Promise<Results> {
  const chosen = benchImages.filter(({ name }) => options.images?.includes(name) ?? true);
  const served = join(options.cacheDir, 'registry');
  const registry = await startRegistry(served, port);
  try {
    for (const { name } of chosen) {
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
  const pullers = [rktTool(options.executable, arena), podmanTool(arena), skopeoUmociTool(arena), ctrTool(arena)];
  const runners = [...pullers.filter(({ name }) => name !== 'skopeo+umoci'), runcTool(arena)];
  const suite = { tools: pullers, rounds: options.rounds, say: options.say };
  try {
    const single = images.filter(({ name }) => !name.startsWith('shared-'));
    const measured = single.map((image) => {
      const reference = `${host}/${image.name}:latest`;
      return { ...coldFetch(suite, image, reference), warm: warmFetch(suite, image, reference) };
    });
    const pair = images.filter(({ name }) => name.startsWith('shared-')).map(({ name }) => `${host}/${name}:latest`);
    const [first, second] = pair;
    const shared = first !== undefined && second !== undefined ? [sharedFetch(suite, [first, second])] : [];
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} cores`,
      versions: versions(options.executable),
      rounds: options.rounds,
      cold: measured.map(({ row }) => row),
      warm: [...measured.map(({ warm }) => warm), ...shared],
      run: runRows(options, runners, `${host}/tiny:latest`),
      disk: measured.map(({ disk }) => disk),
    };
  } finally {
    for (const tool of [...pullers, ...runners]) tool.close();
  }
}

function runRows(options: BenchOptions, tools: readonly Tool[], reference: string): Results['run'] {
  const suite = { tools, rounds: options.rounds * 3, say: options.say };
  for (const tool of tools) {
    for (const command of tool.pull(reference))
      execFileSync(command[0] ?? '', command.slice(1), { env: tool.env, stdio: 'ignore' });
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
