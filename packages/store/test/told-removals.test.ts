// SPDX-License-Identifier: Apache-2.0
import { openStore, type RemovedItem } from '@rkt/store';
import { sampleImage, sampleLayer } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const images = ['one', 'two'].map((name) => sampleImage(`example.com/${name}`, [sampleLayer({ [name]: name })]));

describe('what is removed', () => {
  it('by gc is told when it is gone, also when it is called off then', async () => {
    await using store = await storeWithBoth();
    const controller = new AbortController();
    const told: RemovedItem[] = [];
    const onRemoved = (item: RemovedItem): void => {
      told.push(item);
      controller.abort(new Error('called off'));
    };
    await expect(store.gc({ graceMs: -1, onRemoved, signal: controller.signal })).rejects.toThrow('called off');
    expect(told.map(({ kind }) => kind)).toEqual(['image', 'layer']);
    const left = await store.listImages();
    expect([...left.map(({ id }) => id), told[0]?.id].toSorted()).toEqual(images.map(({ put }) => put.id).toSorted());
  });

  it.each(['gc', 'removeImage'] as const)('by %s is told also when the disk fails then', async (work) => {
    let isFailing = false;
    await using store = await storeWithBoth((step) => {
      if (isFailing && step.startsWith('rename '))
        throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'rename' });
    });
    isFailing = true;
    const told: RemovedItem[] = [];
    const onRemoved = (item: RemovedItem): void => void told.push(item);
    const [{ put } = { put: { id: 'sha512-0' } as const }] = images;
    const removal = work === 'gc' ? store.gc({ graceMs: -1, onRemoved }) : store.removeImage(put.id, { onRemoved });
    await expect(removal).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IO' });
    expect(told.map(({ kind }) => kind)).toEqual(['layer']);
  });

  it('by a plan is nothing', async () => {
    await using store = await storeWithBoth();
    const told: RemovedItem[] = [];
    const plan = await store.gc({ graceMs: -1, dryRun: true, onRemoved: (item) => void told.push(item) });
    expect([plan.length > 0, told]).toEqual([true, []]);
  });
});

async function storeWithBoth(onStep?: (step: string) => void) {
  const store = await openStore(temporaryDirectory(), onStep === undefined ? {} : { onStep });
  for (const image of images) await putImage(store, image);
  return store;
}
