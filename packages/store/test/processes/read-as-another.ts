// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isStoreError, openStore } from '@rkt/store';

const [dir = '', uid = '', gid = '', ...others] = process.argv.slice(2);

/** What whoever runs this can get out of a store. */
async function read(): Promise<unknown> {
  await using store = await openStore(dir, { readOnly: true });
  const read: unknown[] = [];
  for (const { id, name } of await store.listImages()) {
    const { manifest } = await store.getImage(id);
    let bytes = 0;
    for await (const chunk of store.exportImage(id)) bytes += chunk.length;
    read.push({ name, manifest: manifest.name, bytes });
  }
  return read;
}

function outcomeOf(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'));
  }
}

// As root first: afterwards every module is loaded, wherever others may not read.
await read();
process.setgroups?.([]);
process.setgid?.(Number(gid));
process.setuid?.(Number(uid));
const images = await read().catch((error: unknown) => (isStoreError(error) ? error.code : String(error)));
const opened = others.map((path) => outcomeOf(() => closeSync(openSync(join(dir, path), 'r'))));
const listed = ['cas/tmp', 'cas/trees', 'locks'].map((path) => outcomeOf(() => readdirSync(join(dir, path))));
const written = ['cas', 'cas/images', 'cas/layers'].map((path) =>
  outcomeOf(() => openSync(join(dir, path, 'mine'), 'wx')),
);
process.stdout.write(JSON.stringify({ images, opened, listed, written }));
