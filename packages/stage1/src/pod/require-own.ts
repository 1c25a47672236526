// SPDX-License-Identifier: Apache-2.0
import { lstatSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../error.ts';
import { quote } from '../quote.ts';
import { hasCode } from './files.ts';

/** The data directory itself, and what in it says which processes, mounts, networks and users are a pod's. */
const parts = ['', 'pods', 'networks', 'id-ranges'];

/**
 * What there is of a data directory is the caller's own, or root's. Whoever owns a part of it could write records there by
 * which root would kill, unmount and delete what they name. Who owns the directories above it is not looked at.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_UNSAFE_OWNER
 */
export function requireOwn(dataDir: string): void {
  const trusted = [0, process.geteuid?.()];
  for (const path of parts.map((part) => join(dataDir, part))) {
    // Who owns a link may lead it elsewhere.
    for (const look of [lstatSync, statSync]) {
      const owner = statsOf(path, look)?.uid ?? 0;
      if (trusted.includes(owner)) continue;
      throw new Stage1Error(
        'ERR_RKT_STAGE1_UNSAFE_OWNER',
        `${quote(path, 4096)} belongs to the user with the ID ${owner}: use another directory with --dir, or see that nothing in it is theirs, then chown it`,
      );
    }
  }
}

/** Undefined also where the caller may not look: then nothing in it can be used either. */
function statsOf(path: string, look: (path: string) => Stats): Stats | undefined {
  try {
    return look(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}
