// SPDX-License-Identifier: Apache-2.0
import { layoutOf } from '../cas/layout.ts';
import { deriveId, type ImageParts } from './derive-id.ts';
import { hashLayer, type LayerFile, type LayerState } from './hash-layer.ts';

/** A piece of work that a thread does by itself: it reads files of the store and changes none. */
export type HashingJob =
  | ({ readonly kind: 'layer' } & LayerFile)
  /** `dir` is the store's. */
  | { readonly kind: 'image'; readonly dir: string; readonly parts: ImageParts };

/** What a job of each kind gives. */
export interface HashingResults {
  readonly layer: LayerState;
  /** See {@link deriveId}. */
  readonly image: string;
}

export type ResultOf<J extends HashingJob> = HashingResults[J['kind']];

/** @throws IO, PERMISSION, `signal.reason` */
export async function runHashingJob<J extends HashingJob>(
  job: J,
  signal: AbortSignal | undefined,
): Promise<ResultOf<J>>;
export async function runHashingJob(job: HashingJob, signal: AbortSignal | undefined): Promise<LayerState | string> {
  if (job.kind === 'layer') return await hashLayer(job, signal);
  return await deriveId(layoutOf(job.dir), job.parts, signal);
}
