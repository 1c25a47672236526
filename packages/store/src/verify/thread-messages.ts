// SPDX-License-Identifier: Apache-2.0
import { isStoreError, StoreError, type StoreErrorCode } from '../errors.ts';
import type { LayerState } from './hash-layer.ts';

/** The one answer of a thread to a job. */
export type HashingReply =
  | { readonly type: 'done'; readonly result: LayerState | string }
  | { readonly type: 'failed'; readonly error: SentError };

/** An error on its way between threads: a clone of an Error would lose its code. */
export interface SentError {
  readonly code: StoreErrorCode | undefined;
  readonly message: string;
  readonly path: string | undefined;
  readonly subject: string | undefined;
  readonly stack: string | undefined;
}

export function sendError(error: unknown): SentError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (!isStoreError(error)) return { code: undefined, message, stack, path: undefined, subject: undefined };
  return { code: error.code, message, stack, path: error.path, subject: error.subject };
}

/** A fault of ours stays one: it has no code. */
export function receiveError({ code, message, path, subject, stack }: SentError): Error {
  const context = { ...(path === undefined ? {} : { path }), ...(subject === undefined ? {} : { subject }) };
  const error = code === undefined ? new Error(message) : new StoreError(code, message, context);
  if (stack !== undefined) error.stack = stack;
  return error;
}
