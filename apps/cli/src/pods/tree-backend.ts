// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TreeBackend } from '@rkt/store';
import { reasonOf } from '../errors.ts';
import type { Session } from '../wiring/session.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * How root filesystems are rendered here: as EROFS metadata where the kernel mounts it straight from files, as a
 * directory where it does not. Found out by trying, once per boot and data directory.
 */
export async function treeBackend(session: Session): Promise<TreeBackend> {
  const { treeBackend: asked } = session.globals;
  if (asked !== 'auto') return asked;
  const dataDir = await session.dataDir();
  const file = join(dataDir, 'cas', 'tree-backend');
  const bootId = await textOf(BOOT_ID);
  const known = bootId === undefined ? undefined : /^(erofs|directory) (\S+)$/.exec((await textOf(file)) ?? '');
  if (known?.[2] === bootId && known?.[1] !== undefined) return known[1] === 'erofs' ? 'erofs' : 'directory';
  const support = await session.libraries.probeErofs(dataDir);
  if (!support.usable) session.debug(`root filesystems are extracted to directories: ${support.reason}`);
  const backend = support.usable ? 'erofs' : 'directory';
  if (bootId !== undefined) await remember(session, { file, text: `${backend} ${bootId}\n` });
  return backend;
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    // Not there or not readable: then it is found out again, which costs a millisecond.
    return undefined;
  }
}

/** Only saves the next run a millisecond, so a failure is no reason to stop. */
async function remember(
  session: Session,
  { file, text }: { readonly file: string; readonly text: string },
): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(temporary, text, { flag: 'wx', mode: 0o600 });
    await rename(temporary, file);
  } catch (error) {
    session.debug(`cannot remember the tree backend: ${reasonOf(error)}`);
  }
}
