// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of all sources that decide what a composed image is: the recipes and what they are made with. */
export function recipeHash(): string {
  const dir = import.meta.dirname;
  const hash = createHash('sha256');
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()) {
    if (name.endsWith('.ts')) hash.update(`${name}\0`).update(readFileSync(join(dir, name)));
  }
  return hash.digest('hex').slice(0, 12);
}
