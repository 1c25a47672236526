// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDiffId, type Layout } from './layout.ts';

/** DiffIDs that have a file in the store, recorded or not. */
export function layersOnDisk(layout: Layout): ReadonlySet<string> {
  const found = new Set<string>();
  for (const shard of readdirSync(layout.layers)) {
    for (const name of readdirSync(join(layout.layers, shard))) {
      const diffId = `sha256:${name.replace(/\.(tar|idx)$/, '')}`;
      if (isDiffId(diffId)) found.add(diffId);
    }
  }
  return found;
}
