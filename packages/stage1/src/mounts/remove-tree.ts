// SPDX-License-Identifier: Apache-2.0
import { existsSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Stage1Error } from '../error.ts';
import type { Host } from '../host/index.ts';
import { quote } from '../quote.ts';

/**
 * Deletes what nobody uses any more, and never crosses into another file system. Small trees go at once; rm(1) does the
 * rest, which deletes by handles, as a tree deeper than the longest path needs it.
 *
 * @throws Stage1Error ERR_RKT_STAGE1_CLEANUP_FAILED
 */
export async function removeTree(host: Host, path: string): Promise<void> {
  if (!existsSync(path) || removeSmallTree(path)) return;
  const child = host.processes.spawn({
    file: host.findExecutable('rm') ?? 'rm',
    args: ['-rf', '--one-file-system', '--', path],
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if ((await child.exit) === 0) return;
  const message = `cannot delete ${path}: ${quote(child.errorOutput(), 300)}`;
  throw new Stage1Error('ERR_RKT_STAGE1_CLEANUP_FAILED', message);
}

/** What a pod leaves whose app has written little. More would keep the event loop for longer than a process takes to start. */
const mostEntries = 256;
const mostLevels = 16;

/** @returns false when something is left, for whatever reason: rm(1) will find it, too, and say so */
function removeSmallTree(path: string): boolean {
  let entries = 0;
  const removeDirectory = (directory: string, device: number, levels: number): boolean => {
    if (levels > mostLevels || lstatSync(directory).dev !== device) return false;
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      entries += 1;
      if (entries > mostEntries) return false;
      const child = join(directory, entry.name);
      if (!entry.isDirectory()) unlinkSync(child);
      else if (!removeDirectory(child, device, levels + 1)) return false;
    }
    rmdirSync(directory);
    return true;
  };
  try {
    return removeDirectory(path, lstatSync(path).dev, 1);
  } catch {
    return false;
  }
}
