// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arguments } from '../args/command.ts';
import { writeOutputDirectory } from '../files/output-directory.ts';
import { openStoredImage } from '../images/open-stored-image.ts';
import type { Session } from '../wiring/session.ts';

/** `image extract` and `image render`: every image of the store has its whole tree, so they are the same. */
export async function execute(session: Session, { flags, operands }: Arguments): Promise<number> {
  const [name = '', path = ''] = operands;
  const { store, image } = await openStoredImage(session, name, { use: 'read', flags });
  if (session.io.uid !== 0) {
    session.warn('not root: all files are yours, and devices and attributes that only root may set are left out');
  }
  const { id } = image;
  const { manifestBytes } = await store.getImage(id);
  const { signal } = session.interrupts;
  const output = { path, overwrite: flags.boolean('overwrite'), keep: [await session.dataDir()] };
  await writeOutputDirectory(output, async (directory) => {
    if (flags.boolean('rootfs-only')) return await store.extractImage(id, { targetDir: directory, signal });
    await mkdir(directory, { mode: 0o755 });
    await writeFile(join(directory, 'manifest'), manifestBytes, { flag: 'wx', mode: 0o644 });
    await store.extractImage(id, { targetDir: join(directory, 'rootfs'), signal });
  });
  return 0;
}
