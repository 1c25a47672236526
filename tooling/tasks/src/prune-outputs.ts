// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Deletes what `tsc -b` once made of modules that are gone: it never does so itself, and they would be packed. */
export function pruneOutputs(packageDir: string): void {
  const dist = join(packageDir, 'dist');
  if (!existsSync(dist)) return;
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const stem = /^(.+?)(\.js|\.d\.ts|\.d\.ts\.map)$/.exec(name)?.[1];
    if (stem !== undefined && !existsSync(join(packageDir, 'src', `${stem}.ts`))) rmSync(join(dist, name));
  }
}
