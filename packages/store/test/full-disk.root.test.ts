// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isStoreError, openStore, type Store } from '@rkt/store';
import { ingestLayer, type SampleImage, sampleImage, sampleLayer } from '@rkt/store/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from './temporary-directory.ts';

const kept = sampleImage('example.com/kept:1', [sampleLayer({ a: 'a'.repeat(200_000) })]);
const wanted = sampleImage('example.com/wanted:1', [sampleLayer({ b: 'b'.repeat(100_000) })]);

describe('a full disk', () => {
  let mount = '';
  let dir = '';
  beforeEach(async () => {
    mount = temporaryDirectory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'rkt-store-test', mount]);
    dir = join(mount, 'rkt');
    await using store = await openStore(dir);
    await fetchImage(store, kept);
  });
  afterEach(() => {
    execFileSync('umount', [mount]);
  });

  it('at any step of a fetch leaves no half of anything, and the fetch succeeds once there is space', async () => {
    const errors: string[] = [];
    for (let left = 0; left < 200_000; left += 4096) {
      const ballast = fillUpTo(mount, left);
      const error = await failureOf(async () => {
        await using store = await openStore(dir);
        await using lease = await store.lease();
        await lease.retain(kept.put.id);
        await fetchImage(store, wanted);
      });
      rmSync(ballast);
      if (error !== undefined) errors.push(error);
      await using store = await openStore(dir);
      expect(readdirSync(join(dir, 'cas/tmp'))).toEqual([]);
      const images = [kept.put.id, ...(error === undefined ? [wanted.put.id] : [])];
      expect((await store.listImages()).map(({ id }) => id)).toEqual(images);
      expect(readdirSync(join(dir, 'cas/images')).toSorted()).toEqual(images.toSorted());
      for await (const finding of store.verify()) expect(finding.kind).toBe('image-ok');
      await fetchImage(store, wanted);
      await store.removeImage(wanted.put.id);
    }
    expect(errors.length).toBeGreaterThan(10);
    expect(new Set(errors)).toEqual(new Set(['ERR_RKT_STORE_DISK_FULL']));
  });

  it('is freed by removing an image', async () => {
    const ballast = fillUpTo(mount, 0);
    await using store = await openStore(dir);
    const removed = await store.removeImage(kept.put.id);
    expect(removed.map(({ kind }) => kind)).toEqual(['image', 'layer']);
    rmSync(ballast);
    await fetchImage(store, wanted);
  });
});

async function fetchImage(store: Store, image: SampleImage): Promise<void> {
  for (const layer of image.layers) await ingestLayer(store, layer);
  await store.putImage(image.put);
}

/** Takes all space but so many bytes. */
function fillUpTo(mount: string, left: number): string {
  const { bavail, bsize } = statfsSync(mount);
  const path = join(mount, 'ballast');
  writeFileSync(path, Buffer.alloc(Math.max(0, bavail * bsize - left)));
  return path;
}

/** The code of the error; of a full disk also when it was the writer of the layer who met it. */
async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isStoreError(error)) return error.code;
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return 'ERR_RKT_STORE_DISK_FULL';
    throw error;
  }
}
