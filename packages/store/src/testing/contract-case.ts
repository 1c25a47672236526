// SPDX-License-Identifier: Apache-2.0
import { rejects } from 'node:assert/strict';
import type { ImageId } from '@rkt/appc';
import type { StoreErrorCode } from '../errors.ts';
import type { Store } from '../store.ts';
import { ingestLayer, type SampleImage, sampleImage, sampleLayer } from './sample-image.ts';

/** One thing every store must do. Independent of any test runner: `it(contractCase.name, contractCase.run)`. */
export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** A sentence and its check, which is given an empty store. */
export type Check = readonly [name: string, check: (store: Store, fixture: Fixture) => Promise<void>];

/** What a check may want besides the store. */
export interface Fixture {
  /** Sets the store's clock forward. */
  readonly advance: (milliseconds: number) => void;
  /** A path on disk that can be made and removed. */
  readonly scratchPath: string;
}

/** Fetches, as the store sees it: layers, then the image. */
export async function fetchImage(store: Store, image: SampleImage): Promise<ImageId> {
  for (const layer of image.layers) await ingestLayer(store, layer);
  await store.putImage(image.put);
  return image.put.id;
}

/** An image of one layer no other sample has. */
export function simpleImage(name: string): SampleImage {
  return sampleImage(name, [sampleLayer({ 'bin/app': `content of ${name}` })]);
}

/** An image whose ID begins with the given digits, for looking up only. */
export function imageWithId(digits: string, image: SampleImage): SampleImage {
  return { ...image, put: { ...image.put, id: `sha512-${digits.padEnd(128, '0')}` } };
}

/** That a promise is rejected with the given code. */
export async function rejectsWith(code: StoreErrorCode, promise: Promise<unknown>): Promise<void> {
  await rejects(promise, { name: 'StoreError', code });
}
