// SPDX-License-Identifier: Apache-2.0
// One of many processes on one store: does the same again and again for a time; any failure ends it with a status.
import { createHash } from 'node:crypto';
import { isStoreError, openStore, type Store } from '@rkt/store';
import { putImage } from '../put-image.ts';
import { relatedImages } from '../related-images.ts';

const [dir = '', role = '', at = '0', milliseconds = '0'] = process.argv.slice(2);
const images = relatedImages();

const roles: Readonly<Record<string, (store: Store, round: number) => Promise<void>>> = {
  /** What a pod does with an image; nobody may take it away meanwhile. */
  fetch: async (store, round) => {
    const image = images[(Number(at) + round) % images.length];
    if (image === undefined) throw new RangeError('no image');
    const { id } = image.put;
    await using lease = await store.lease();
    await unlessGone(async () => {
      await putImage(store, image);
      await lease.retain(id);
      await store.renderTree(id, { backend: round % 2 === 0 ? 'erofs' : 'directory', lease });
      const hash = createHash('sha512');
      for await (const chunk of store.exportImage(id)) hash.update(chunk);
      if (`sha512-${hash.digest('hex')}` !== id) throw new Error(`another content than that of ${id}`);
    });
  },
  remove: async (store) => {
    for (const { id } of await store.listImages()) await unlessGone(async () => void (await store.removeImage(id)));
  },
  gc: async (store) => void (await store.gc({ graceMs: 0 })),
  verify: async (store) => {
    for await (const { kind } of store.verify()) if (kind !== 'image-ok') throw new Error(`found ${kind}`);
  },
};

/** Between being put and being leased an image may be removed: others do nothing else. */
async function unlessGone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = isStoreError(error) ? error.code : undefined;
    if (code !== 'ERR_RKT_STORE_IMAGE_NOT_FOUND' && code !== 'ERR_RKT_STORE_IMAGE_IN_USE') throw error;
  }
}

await using store = await openStore(dir);
const end = Date.now() + Number(milliseconds);
let rounds = 0;
for (; Date.now() < end; rounds += 1) await roles[role]?.(store, rounds);
process.stdout.write(String(rounds));
