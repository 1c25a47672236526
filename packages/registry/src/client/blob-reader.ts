// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { RegistryError } from '../errors.ts';
import type { BlobReader, Descriptor, OpenBlobOptions } from '../image/image.ts';
import type { ResponseBody } from '../transport/transport.ts';
import { type Retrying, waitBeforeRetry } from './retry.ts';
import { algorithmOf, digestMismatch, sizeMismatch } from './verify.ts';

/** An open transfer. `skip` bytes precede the wanted offset, where a server ignores ranges. */
export interface BlobTransfer {
  readonly body: ResponseBody;
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly skip: number;
  readonly origin: string;
  /** The end of the body is marked, so an end that comes early is no interruption. */
  readonly framed: boolean;
}

export function openTransfer(body: ResponseBody, from: Omit<BlobTransfer, 'body' | 'chunks'>): BlobTransfer {
  return { body, chunks: body[Symbol.asyncIterator](), ...from };
}

/** How a reader gets its bytes, first and again after an interruption. */
export interface BlobSupply {
  readonly first: BlobTransfer;
  reopen(offset: number): Promise<BlobTransfer>;
  /** Told when the bytes of an origin were not what the digest says. */
  onCorrupt(origin: string): void;
  readonly retrying: Retrying;
  readonly what: string;
}

/** Progress that forgives earlier interruptions: a transfer that moves is not given up. */
const FORGIVING_BYTES = 1 << 20;
const REPORT_EVERY_MS = 100;

/**
 * Reads a blob through interruptions and verifies it. The hash runs over what is handed out, whichever transfer it came
 * from, and the last chunk is kept back until size and digest match.
 */
export function createBlobReader(descriptor: Descriptor, supply: BlobSupply, options: OpenBlobOptions): BlobReader {
  const state: ReadState = {
    descriptor,
    supply,
    options,
    hash: createHash(algorithmOf(descriptor.digest)),
    transfer: supply.first,
    received: 0,
    reportedAt: 0,
    disposed: false,
  };
  let started = false;
  return {
    descriptor,
    [Symbol.asyncIterator]: () => {
      if (started) throw new TypeError('a blob reader can be read once');
      started = true;
      return read(state);
    },
    [Symbol.asyncDispose]: () => {
      state.disposed = true;
      state.transfer.body.cancel();
      return Promise.resolve();
    },
  };
}

interface ReadState {
  readonly descriptor: Descriptor;
  readonly supply: BlobSupply;
  readonly options: OpenBlobOptions;
  readonly hash: Hash;
  transfer: BlobTransfer;
  received: number;
  reportedAt: number;
  disposed: boolean;
}

async function* read(state: ReadState): AsyncGenerator<Uint8Array, void, undefined> {
  let held: HeldChunk | undefined;
  let failures = 0;
  let receivedAtFailure = 0;
  try {
    for (;;) {
      const chunk = await nextChunk(state);
      if (chunk instanceof Uint8Array) {
        if (held !== undefined) {
          yield held.chunk;
          release(state, held);
        }
        held = { chunk, owned: state.transfer.body.chunksAreOwned === true };
      } else if (chunk === undefined) {
        break;
      } else {
        failures = state.received - receivedAtFailure >= FORGIVING_BYTES ? 1 : failures + 1;
        receivedAtFailure = state.received;
        await reopen(state, chunk.error, failures);
      }
    }
    verify(state);
    state.options.onBytes?.(state.received);
    if (held === undefined) return;
    yield held.chunk;
    release(state, held);
  } finally {
    state.transfer.body.cancel();
  }
}

interface HeldChunk {
  readonly chunk: Uint8Array;
  /** As the transfer it came from says. */
  readonly owned: boolean;
}

/** Takes the memory of a chunk that was handed out and is done with, if consumer and transport agreed to that. */
function release(state: ReadState, { chunk: { buffer, byteLength }, owned }: HeldChunk): void {
  if (state.options.releaseChunks !== true || !owned) return;
  // What shares its memory with other chunks is left to the garbage collector.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** A chunk, undefined at the end of the blob, or the error that interrupted the transfer. */
async function nextChunk(state: ReadState): Promise<Uint8Array | { readonly error: RegistryError } | undefined> {
  const { descriptor, supply, options } = state;
  options.signal?.throwIfAborted();
  if (state.disposed) throw disposedError();
  let chunk: Uint8Array | undefined;
  try {
    chunk = await pull(state);
  } catch (error) {
    if (error instanceof RegistryError && error.transient) return { error };
    throw error;
  }
  // Ended by us: that says nothing of the origin.
  if (state.disposed) throw disposedError();
  if (chunk === undefined) return endOfBody(state);
  state.received += chunk.length;
  if (state.received > descriptor.size) {
    supply.onCorrupt(state.transfer.origin);
    throw sizeMismatch(supply.what, state.transfer.origin, descriptor.size, state.received);
  }
  state.hash.update(chunk);
  report(state);
  return chunk;
}

function disposedError(): TypeError {
  return new TypeError('a blob reader cannot be read after it was disposed');
}

/** Whole, cut by a connection that closed, or complete and too short, which no resumption can mend. */
function endOfBody(state: ReadState): { readonly error: RegistryError } | undefined {
  const { descriptor, supply, transfer, received } = state;
  if (received === descriptor.size) return undefined;
  if (!transfer.framed) return { error: truncated(state) };
  supply.onCorrupt(transfer.origin);
  throw sizeMismatch(supply.what, transfer.origin, descriptor.size, received);
}

/** The next wanted bytes of the transfer, after those a server sent again though it was asked for a range. */
async function pull(state: ReadState): Promise<Uint8Array | undefined> {
  for (;;) {
    const { chunks, skip } = state.transfer;
    const result = await chunks.next();
    if (result.done === true) return undefined;
    const chunk = result.value;
    // An empty chunk at the end would be the one that is held back, and all bytes be out before they are verified.
    if (chunk.length === 0) continue;
    if (skip === 0) return chunk;
    state.transfer = { ...state.transfer, skip: Math.max(0, skip - chunk.length) };
    if (skip < chunk.length) return chunk.subarray(skip);
  }
}

async function reopen(state: ReadState, error: RegistryError, attempt: number): Promise<void> {
  const { supply, options } = state;
  state.transfer.body.cancel();
  // All bytes are there and only the end of the body was not seen: nothing is left to ask for.
  if (state.received === state.descriptor.size) {
    state.transfer = openTransfer(emptyBody, { skip: 0, origin: state.transfer.origin, framed: true });
    return;
  }
  await waitBeforeRetry(supply.retrying, { attempt, error, signal: options.signal });
  state.transfer = await supply.reopen(state.received);
}

function verify(state: ReadState): void {
  const { descriptor, supply, transfer } = state;
  const algorithm = algorithmOf(descriptor.digest);
  const actual = `${algorithm}:${state.hash.digest('hex')}`;
  if (actual === descriptor.digest) return;
  supply.onCorrupt(transfer.origin);
  throw digestMismatch({ what: supply.what, expected: descriptor.digest, actual, origin: transfer.origin });
}

function truncated(state: ReadState): RegistryError {
  const { descriptor, supply, transfer, received } = state;
  const text = `${supply.what} from ${transfer.origin} ended after ${received} of ${descriptor.size} bytes`;
  return new RegistryError('ERR_RKT_REGISTRY_TRUNCATED', text, {
    origin: transfer.origin,
    reference: supply.what,
    expected: descriptor.size,
    actual: received,
    transient: true,
  });
}

function report(state: ReadState): void {
  const { onBytes } = state.options;
  if (onBytes === undefined || state.received === state.descriptor.size) return;
  const now = performance.now();
  if (now - state.reportedAt < REPORT_EVERY_MS) return;
  state.reportedAt = now;
  onBytes(state.received);
}

const emptyBody: ResponseBody = {
  cancel: () => undefined,
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};
