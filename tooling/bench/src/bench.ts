// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { mountFreshDisk } from './arena/disk.ts';
import { type BenchImage, benchImages, composeBenchImage } from './arena/images.ts';
import { push, startRegistry } from './arena/registry.ts';
import { type ClientRow, clientImages, measureClient } from './client/measure-client.ts';
import { measurePods, type PodRow } from './pods/measure-pods.ts';
import { podmanPods, rktPods } from './pods/pod-tools.ts';
import type { Results } from './report/markdown.ts';
import { coldFetch, firstRun, type Suite, sharedFetch, warmFetch, warmRun } from './suites.ts';
import { ctrTool } from './tools/ctr.ts';
import { podmanTool } from './tools/podman.ts';
import { rktTool } from './tools/rkt.ts';
import { runcTool } from './tools/runc.ts';
import { skopeoUmociTool } from './tools/skopeo-umoci.ts';
import type { Tool } from './tools/tool.ts';

export { markdown, type Results, withClientSection, withPodSection } from './report/markdown.ts';
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
  const chosen = chosenOf(benchImages, options);
  // Runs are always measured, with the tiny image.
  const names = [...chosen, ...chosenOf(clientImages, options)].map(({ name }) => name);
  return withImages(options, [...names, 'tiny'], (arena, host) => ({
    ...measureAll(options, arena, chosen, host),
    client: clientRows(options, arena, host),
    pods: podRows(options, arena, host),
  }));
}

/** The registry client by itself, without the other tables. Must run in a mount namespace of its own. */
export async function benchClient(options: BenchOptions): Promise<readonly ClientRow[]> {
  const names = chosenOf(clientImages, options).map(({ name }) => name);
  return withImages(options, names, (arena, host) => clientRows(options, arena, host));
}

/** Many pods, and what they cost while they run and when they have ended. Must run in a mount namespace of its own. */
export async function benchPods(options: BenchOptions): Promise<readonly PodRow[]> {
  return withImages(options, ['tiny'], (arena, host) => podRows(options, arena, host));
}

function podRows(options: BenchOptions, arena: string, host: string): readonly PodRow[] {
  using stack = new DisposableStack();
  const open = (tool: Tool): Tool => stack.adopt(tool, () => tool.close());
  const { executable, rounds, say } = options;
  const [rkt, podman] = [open(rktTool(executable, arena)), open(podmanTool(arena))];
  const dirs = { rkt: join(arena, 'rkt'), podman: join(arena, 'podman') };
  for (const tool of [rkt, podman]) tool.reset();
  return measurePods({
    ...{ rkt: rktPods(rkt, executable, dirs.rkt), podman: podmanPods(podman), dirs, executable },
    ...{ image: `${host}/tiny:latest`, rounds, scratch: arena, say },
  });
}

function chosenOf(images: readonly BenchImage[], options: BenchOptions): readonly BenchImage[] {
  return images.filter(({ name }) => options.images?.includes(name) ?? true);
}

function clientRows(options: BenchOptions, scratch: string, registry: string): readonly ClientRow[] {
  const layouts = layoutsOf(options);
  const images = chosenOf(clientImages, options);
  return measureClient({ rounds: options.rounds, scratch, say: options.say }, { layouts, registry, images });
}

function layoutsOf(options: BenchOptions): string {
  return join(options.cacheDir, 'images');
}

type InArena<T> = (arena: string, host: string) => T;

async function withImages<T>(options: BenchOptions, names: readonly string[], body: InArena<T>): Promise<T> {
  const served = join(options.cacheDir, 'registry');
  const registry = await startRegistry(served);
  try {
    for (const name of new Set(names)) {
      options.say(`image ${name}: composing and pushing unless an earlier run did`);
      push(registry, served, await composeBenchImage(name, layoutsOf(options), options.repository), name);
    }
    return inFreshArena(options, (arena) => body(arena, registry.host));
  } finally {
    registry.close();
  }
}

function inFreshArena<T>(options: BenchOptions, body: (arena: string) => T): T {
  mkdirSync(options.cacheDir, { recursive: true });
  const arena = join(options.cacheDir, 'arena');
  const unmount = mountFreshDisk(arena, 24);
  try {
    return body(arena);
  } finally {
    unmount();
  }
}

type WithoutClient = Omit<Results, 'client' | 'pods'>;

function measureAll(options: BenchOptions, arena: string, images: readonly BenchImage[], host: string): WithoutClient {
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
    ['curl', '--version'],
    ['openssl', 'version'],
    ['uname', '-sr'],
  ];
  return commands.map(([file = '', ...args]) => execFileSync(file, args, { encoding: 'utf8' }).split('\n')[0] ?? '');
}
