// SPDX-License-Identifier: Apache-2.0

import { createCipheriv } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  type Archive,
  closureOf,
  downloadClosure,
  type Entry,
  file,
  type ImageRecipe,
  type LayerSource,
  packageEntries,
  recipes,
  symlink,
  writeLayout,
  writeTar,
} from '@rkt/tooling-images';

/** Name in the registry and what the table calls it. */
export interface BenchImage {
  readonly name: string;
  readonly what: string;
}

export const benchImages: readonly BenchImage[] = [
  { name: 'tiny', what: 'busybox, 1 layer' },
  { name: 'redis', what: 'redis, 7 layers' },
  { name: 'files', what: '80 k small files' },
  { name: 'big', what: 'about 1 GB, 9 layers' },
  { name: 'shared-a', what: 'shared base, first' },
  { name: 'shared-b', what: 'shared base, second' },
];

const builders: Readonly<Record<string, (cacheDir: string, repository: string) => Promise<ImageRecipe>>> = {
  tiny: tinyImage,
  redis: recipes.redis,
  files: filesImage,
  big: bigImage,
  blob: blobImage,
  'shared-a': (cacheDir) => sharedImage(cacheDir, 'a'),
  'shared-b': (cacheDir) => sharedImage(cacheDir, 'b'),
};

/** Composes the image as a layout under `dir`, unless an earlier run did. */
export async function composeBenchImage(name: string, dir: string, repository: string): Promise<string> {
  const layout = join(dir, name);
  const build = builders[name];
  if (build === undefined) throw new Error(`no bench image is called ${name}`);
  if (!existsSync(join(layout, 'index.json'))) writeLayout(layout, await build(join(dir, 'packages'), repository));
  return layout;
}

const config = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/sh'] };

async function busyboxLayer(cacheDir: string): Promise<LayerSource> {
  const archive = downloadClosure(['busybox-static'], cacheDir);
  const entries = await packageEntries(archive, ['busybox-static']);
  const binary = entries.find(({ header }) => header.name === 'usr/bin/busybox')?.body;
  if (binary === undefined) throw new Error('busybox-static does not ship usr/bin/busybox');
  const applets = ['sh', 'true', 'ls', 'cat', 'sleep'].map((name) => symlink(`bin/${name}`, 'busybox'));
  return { tar: await writeTar([file('bin/busybox', binary, 0o755), ...applets]), comment: 'busybox' };
}

async function tinyImage(cacheDir: string): Promise<ImageRecipe> {
  return { layers: [await busyboxLayer(cacheDir)], config };
}

/** As an application image looks: a node_modules tree from the npm registry, several times over. */
async function filesImage(cacheDir: string, repository: string): Promise<ImageRecipe> {
  const modules = smallFiles(join(repository, 'node_modules', '.pnpm'), 64 * 1024);
  const copies = Math.ceil(80_000 / modules.length);
  const layers = [await busyboxLayer(cacheDir)];
  for (let copy = 0; copy < copies; copy++) {
    const entries = modules.map(({ name, bytes }) => file(`app/${copy}/node_modules/${name}`, bytes));
    layers.push({ tar: await writeTar(entries), comment: `application ${copy}` });
  }
  return { layers, config };
}

function smallFiles(root: string, limit: number): readonly { name: string; bytes: Buffer }[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => join(root, name))
    .filter((path) => {
      const stat = lstatSync(path);
      return stat.isFile() && stat.size <= limit;
    })
    .map((path) => ({ name: relative(root, path), bytes: readFileSync(path) }));
}

/** Toolchains, one to a layer, as large development images have them. */
async function bigImage(cacheDir: string): Promise<ImageRecipe> {
  const groups = [
    ['golang-1.19-src', 'golang-1.19-go'],
    ['openjdk-17-jre-headless'],
    ['openjdk-17-jdk-headless'],
    ['llvm-14-dev'],
    ['clang-14'],
    ['libboost1.74-dev'],
    ['fonts-noto-cjk'],
    ['gcc-12', 'g++-12'],
  ];
  const archive = downloadClosure(groups.flat(), cacheDir);
  const layers = [await busyboxLayer(cacheDir)];
  const below = new Set<string>();
  for (const group of groups) layers.push(await groupLayer(archive, group, below));
  return { layers, config };
}

async function groupLayer(archive: Archive, group: readonly string[], below: Set<string>): Promise<LayerSource> {
  const added = [...closureOf(archive, group)].filter((name) => !below.has(name)).sort();
  for (const name of added) below.add(name);
  const entries = (await packageEntries(archive, added)).filter(keepsBusybox);
  return { tar: await writeTar(entries), comment: group.join(' ') };
}

/** Debian's own shell and `true` would need the C library of another layer; the bench runs busybox's everywhere. */
function keepsBusybox({ header }: Entry): boolean {
  return header.name !== 'bin';
}

/** One layer that nothing makes smaller: a key stream. */
async function blobImage(): Promise<ImageRecipe> {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const bytes = stream.update(Buffer.alloc(1_200_000_000));
  return { layers: [{ tar: await writeTar([file('blob', bytes)]), comment: 'blob', compression: 'none' }], config: {} };
}

async function sharedImage(cacheDir: string, variant: string): Promise<ImageRecipe> {
  const redis = await recipes.redis(cacheDir);
  const own = await writeTar([file(`srv/${variant}`, `variant ${variant}\n`.repeat(1000))]);
  return { ...redis, layers: [...redis.layers, { tar: own, comment: `variant ${variant}` }] };
}
