// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Lease, openStore, type Store } from '@rkt/store';
import { type SampleImage, sampleImage, sampleLayer } from '@rkt/store/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { putImage } from './put-image.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const layers = ['a', 'b', 'c'].map((name) => sampleLayer({ [name]: name }));
const images: readonly SampleImage[] = [
  sampleImage('example.com/base', layers.slice(0, 1)),
  sampleImage('example.com/middle', layers.slice(0, 2)),
  sampleImage('example.com/top', layers),
];

const operation = fc.record({
  image: fc.constantFrom(...images),
  kind: fc.constantFrom('fetch', 'remove', 'lease', 'release', 'collect', 'reopen'),
});

describe('any sequence of operations', () => {
  it('leaves exactly the layers that images refer to, and every leased image', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        const dir = temporaryDirectory();
        const model = new Model(dir, await openStore(dir));
        for (const { kind, image } of operations) await model.apply(kind, image);
        await model.expectConsistent();
        await model.store[Symbol.asyncDispose]();
      }),
      { numRuns: 25 },
    );
  });
});

/** What a store with one user must hold. */
class Model {
  store: Store;
  readonly #dir: string;
  readonly #present = new Set<SampleImage>();
  readonly #leases = new Map<SampleImage, Lease>();

  constructor(dir: string, store: Store) {
    this.#dir = dir;
    this.store = store;
  }

  async apply(kind: string, image: SampleImage): Promise<void> {
    if (kind === 'fetch') await this.#fetch(image);
    if (kind === 'remove') await this.#remove(image);
    if (kind === 'lease') await this.#lease(image);
    if (kind === 'release') await this.#release(image);
    if (kind === 'collect') await this.#collect();
    if (kind === 'reopen') await this.#reopen();
  }

  async expectConsistent(): Promise<void> {
    const ids = [...this.#present].map(({ put }) => put.id).toSorted();
    expect((await this.store.listImages()).map(({ id }) => id).toSorted()).toEqual(ids);
    const referred = new Set([...this.#present].flatMap(({ put }) => put.layers));
    const shards = join(this.#dir, 'cas/layers/sha256');
    const files = readdirSync(shards).flatMap((shard) => readdirSync(join(shards, shard)));
    expect(files).toHaveLength(referred.size * 2);
    for await (const finding of this.store.verify()) expect(finding.kind).toBe('image-ok');
  }

  async #fetch(image: SampleImage): Promise<void> {
    await putImage(this.store, image);
    this.#present.add(image);
  }

  async #remove(image: SampleImage): Promise<void> {
    const removal = this.store.removeImage(image.put.id);
    if (!this.#present.has(image)) {
      await expect(removal).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IMAGE_NOT_FOUND' });
    } else if (this.#leases.has(image)) {
      await expect(removal).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IMAGE_IN_USE' });
    } else {
      await removal;
      this.#present.delete(image);
    }
  }

  async #lease(image: SampleImage): Promise<void> {
    const lease = this.#leases.get(image) ?? (await this.store.lease());
    if (!this.#present.has(image)) {
      await expect(lease.retain(image.put.id)).rejects.toMatchObject({ code: 'ERR_RKT_STORE_IMAGE_NOT_FOUND' });
      return;
    }
    await lease.retain(image.put.id);
    this.#leases.set(image, lease);
    await this.store.renderTree(image.put.id, { backend: 'erofs', lease });
  }

  async #release(image: SampleImage): Promise<void> {
    await this.#leases.get(image)?.[Symbol.asyncDispose]();
    this.#leases.delete(image);
  }

  async #collect(): Promise<void> {
    await this.store.gc({ graceMs: 0 });
    for (const image of this.#present) if (!this.#leases.has(image)) this.#present.delete(image);
  }

  /** Leases belong to the process, not to the store object. */
  async #reopen(): Promise<void> {
    for (const image of images) await this.#release(image);
    await this.store[Symbol.asyncDispose]();
    this.store = await openStore(this.#dir);
  }
}
