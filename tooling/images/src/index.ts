// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageRecipe, writeLayout } from './layout.ts';
import { recipeHash } from './recipe-hash.ts';
import { nginxImage } from './recipes/nginx.ts';
import { redisImage } from './recipes/redis.ts';

export { type Archive, closureOf, dataTar, downloadClosure } from './debian.ts';
export { directory, type Entry, file, packageEntries, symlink, whiteout, writeTar } from './layer.ts';
export { type ContainerSection, hostArchitecture, type ImageRecipe, type LayerSource, writeLayout } from './layout.ts';

/** The images that can be composed by name. */
export const recipes: Readonly<Record<'redis' | 'nginx', (cacheDir: string) => Promise<ImageRecipe>>> = {
  redis: redisImage,
  nginx: nginxImage,
};

/**
 * Composes an image as an OCI layout under `dir/<name>-<hash of the recipes>`, unless it is already there, and gives that
 * path. Layouts of earlier recipes are deleted. Package files are kept under `dir/packages`.
 */
export async function composeImage(name: keyof typeof recipes, dir: string): Promise<string> {
  const layout = join(dir, `${name}-${recipeHash()}`);
  if (existsSync(join(layout, 'index.json'))) return layout;
  mkdirSync(dir, { recursive: true });
  const partial = `${layout}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  writeLayout(partial, await recipes[name](join(dir, 'packages')));
  const earlier = new RegExp(`^${name}(-[0-9a-f]+)?$`);
  for (const other of readdirSync(dir).filter((entry) => earlier.test(entry))) {
    rmSync(join(dir, other), { recursive: true, force: true });
  }
  renameSync(partial, layout);
  return layout;
}
