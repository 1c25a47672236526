// SPDX-License-Identifier: Apache-2.0
import { ConversionError, type ConversionErrorCode } from '../errors.ts';
import type { HashedImage, HashedLayer, ImageHasherOptions, LayerPart } from './image-hasher.ts';
import type { LayerJob, UnpackedLayer } from './layer-job.ts';

export type WorkerRequest = LayerRequest | HashRequest;

/** What a worker is told of layers. Several jobs may be open at once; the messages of one are in order. */
export type LayerRequest = { readonly to: 'layers'; readonly id: number } & (
  | { readonly type: 'start'; readonly job: LayerJob; readonly tellsEntries: boolean }
  /** The first `length` bytes of a buffer that is lent until `taken` brings it back. */
  | { readonly type: 'bytes'; readonly buffer: ArrayBuffer; readonly length: number }
  | { readonly type: 'end' }
  /** Nothing more comes, and nobody waits for the job. */
  | { readonly type: 'abort' }
);

/** What the one worker that hashes is told besides: `start` once, layers from the top down, each behind its parts, `finish` once. */
export type HashRequest = { readonly to: 'hash' } & (
  | { readonly type: 'start'; readonly options: ImageHasherOptions }
  | { readonly type: 'part'; readonly part: LayerPart }
  | { readonly type: 'layer'; readonly layer: HashedLayer }
  | { readonly type: 'finish' }
);

export type WorkerReply = LayerReply | HashReply;

/** What a worker says of a layer. After `settled` or `failed` it says nothing more of a job but `taken`. */
export type LayerReply = { readonly id: number } & (
  | { readonly type: 'taken'; readonly buffer: ArrayBuffer }
  | { readonly type: 'entries'; readonly index: Uint8Array }
  | { readonly type: 'done'; readonly layer: UnpackedLayer }
  /** Behind `done`: nothing is being written back any more. */
  | { readonly type: 'settled' }
  | { readonly type: 'failed'; readonly error: SentError }
);

export type HashReply =
  | { readonly type: 'hashed'; readonly image: HashedImage }
  | { readonly type: 'hash-failed'; readonly error: SentError };

/** How a worker answers. */
export type Reply = (message: WorkerReply, transfer?: readonly ArrayBuffer[]) => void;

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
