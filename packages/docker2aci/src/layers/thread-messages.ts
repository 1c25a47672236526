// SPDX-License-Identifier: Apache-2.0
import { ConversionError, type ConversionErrorCode } from '../errors.ts';
import type { HashedImage, HashedLayer, ImageHasherOptions } from './image-hasher.ts';
import type { LayerJob, UnpackedLayer } from './layer-job.ts';

/** What a layer worker is told. Several jobs may be open at once; the messages of one are in order. */
export type LayerRequest =
  | { readonly type: 'start'; readonly id: number; readonly job: LayerJob }
  /** The first `length` bytes of a buffer that is lent until `taken` brings it back. */
  | { readonly type: 'bytes'; readonly id: number; readonly buffer: ArrayBuffer; readonly length: number }
  | { readonly type: 'end'; readonly id: number }
  /** Nothing more comes, and nobody waits for the job. */
  | { readonly type: 'abort'; readonly id: number };

/** What a layer worker says. After `done` or `failed` it says nothing more of a job but `taken`. */
export type LayerReply =
  | { readonly type: 'taken'; readonly id: number; readonly buffer: ArrayBuffer }
  | { readonly type: 'done'; readonly id: number; readonly layer: UnpackedLayer }
  | { readonly type: 'failed'; readonly id: number; readonly error: SentError };

/** What the hash worker is told: `start` once, layers from the top down, `finish` once. */
export type HashRequest =
  | { readonly type: 'start'; readonly options: ImageHasherOptions }
  | { readonly type: 'layer'; readonly layer: HashedLayer }
  | { readonly type: 'finish' };

export type HashReply =
  | { readonly type: 'done'; readonly image: HashedImage }
  | { readonly type: 'failed'; readonly error: SentError };

/** An error on its way between threads: a clone of an Error would lose its code. */
export interface SentError {
  readonly code: ConversionErrorCode;
  readonly message: string;
  readonly digest: string | undefined;
  readonly path: string | undefined;
  readonly expected: string | number | undefined;
  readonly actual: string | number | undefined;
  /** Of something that was not a ConversionError: a fault of ours. */
  readonly stack: string | undefined;
}

export function sendError(error: unknown): SentError {
  if (error instanceof ConversionError) {
    const { code, message, digest, path, expected, actual } = error;
    return { code, message, digest, path, expected, actual, stack: undefined };
  }
  const fault = error instanceof Error ? error : new Error(String(error));
  const none = { digest: undefined, path: undefined, expected: undefined, actual: undefined };
  return {
    code: 'ERR_RKT_DOCKER2ACI_WORKER_FAILED',
    message: `a worker thread failed: ${fault.message}`,
    ...none,
    stack: fault.stack,
  };
}

export function receiveError({ code, message, stack, ...context }: SentError): ConversionError {
  const given = Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined));
  const error = new ConversionError(code, message, given);
  if (stack !== undefined) error.stack = stack;
  return error;
}
