// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageRecipe, writeLayout } from './layout.ts';
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
 * Composes an image as an OCI layout under `dir/<name>`, unless it is already there, and gives that path. Package files
 * are kept under `dir/packages`.
 */
export async function composeImage(name: keyof typeof recipes, dir: string): Promise<string> {
  const layout = join(dir, name);
  if (existsSync(join(layout, 'index.json'))) return layout;
  mkdirSync(dir, { recursive: true });
  const partial = `${layout}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  writeLayout(partial, await recipes[name](join(dir, 'packages')));
  rmSync(layout, { recursive: true, force: true });
  renameSync(partial, layout);
  return layout;
}
