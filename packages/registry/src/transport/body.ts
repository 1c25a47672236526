// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../errors.ts';
import type { ResponseBody } from './transport.ts';

/** What a body does to the connection it comes from. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  abort(): void;
}

/** Bytes held for a slow reader before the socket is paused, and those left when it is resumed. */
const HIGH_WATER = 1 << 20;
const LOW_WATER = HIGH_WATER / 2;
/** Chunks below this are joined: TLS hands out 16 KiB records, and each chunk costs its consumers a turn. */
const COALESCE = 1 << 16;

/**
 * A response body as a queue between a connection that pushes and a reader that pulls. Many small chunks become one, and
 * a reader that waits is woken once per turn of the event loop, not once per chunk.
 */
export class BodyQueue implements ResponseBody, AsyncIterator<Uint8Array> {
  readonly chunksAreOwned = true;
  readonly #flow: BodyFlow;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #ended = false;
  #failed = false;
  #failure: unknown;
  #wake: (() => void) | undefined;
  #wakeScheduled = false;

  constructor(flow: BodyFlow) {
    this.#flow = flow;
  }

  push(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= HIGH_WATER && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#wakeReader();
  }

  end(): void {
    this.#ended = true;
    this.#wakeNow();
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    this.#failed = true;
    this.#failure = error;
    this.end();
  }

  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#drop();
    this.#flow.abort();
    this.#wakeNow();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    // In a loop: a wake-up that was scheduled may come after the bytes it was for have been taken.
    while (this.#bytes === 0 && !this.#ended) await this.#data();
    if (this.#bytes > 0) return { done: false, value: this.#take() };
    if (this.#failed) throw this.#failure;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.cancel();
    this.#drop();
    return { done: true, value: undefined };
  }

  #data(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** One chunk if it is large, as those of a plain connection are; otherwise it and what follows, joined. */
  #take(): Uint8Array {
    let count = 0;
    let length = 0;
    while (length < COALESCE / 2 && count < this.#chunks.length) length += this.#chunks[count++]?.length ?? 0;
    const [first = new Uint8Array(0), ...rest] = this.#chunks.splice(0, count);
    this.#bytes -= length;
    if (this.#paused && this.#bytes <= LOW_WATER) {
      this.#paused = false;
      this.#flow.resume();
    }
    return rest.length === 0 ? first : Buffer.concat([first, ...rest], length);
  }

  #drop(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }

  #wakeReader(): void {
    if (this.#wake === undefined) return;
    if (this.#bytes >= COALESCE) {
      this.#wakeNow();
    } else if (!this.#wakeScheduled) {
      this.#wakeScheduled = true;
      setImmediate(() => {
        this.#wakeScheduled = false;
        this.#wakeNow();
      });
    }
  }

  #wakeNow(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** Milliseconds a small body may take: a byte now and then keeps any idle time-out from ever coming. */
const WHOLE_BODY_MS = 300_000;
const SOME_BODY_MS = 10_000;

/**
 * The whole of a small body.
 * @throws {RegistryError} ERR_RKT_REGISTRY_LIMIT_EXCEEDED as soon as it is longer than `maxBytes`,
 * ERR_RKT_REGISTRY_TIMEOUT when it is not there after five minutes
 */
export async function readAll(body: ResponseBody, maxBytes: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const deadline = cancelAfter(body, WHOLE_BODY_MS);
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > maxBytes) {
        throw new RegistryError('ERR_RKT_REGISTRY_LIMIT_EXCEEDED', `${what} is larger than ${maxBytes} bytes`, {
          expected: maxBytes,
        });
      }
      chunks.push(chunk);
    }
  } finally {
    deadline.clear();
  }
  if (!deadline.passed()) return Buffer.concat(chunks, length);
  const text = `${what} has not arrived after ${WHOLE_BODY_MS / 1000} s, ${length} bytes of it have`;
  throw new RegistryError('ERR_RKT_REGISTRY_TIMEOUT', text, { actual: length });
}

interface Deadline {
  passed(): boolean;
  clear(): void;
}

function cancelAfter(body: ResponseBody, milliseconds: number): Deadline {
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    body.cancel();
  }, milliseconds);
  return { passed: () => passed, clear: () => clearTimeout(timer) };
}

/**
 * At most `maxBytes` of a body that explains a failure, and what came of it in ten seconds. What goes wrong while
 * reading it changes nothing.
 */
export async function readSome(body: ResponseBody, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const deadline = cancelAfter(body, SOME_BODY_MS);
  try {
    for await (const chunk of body) {
      chunks.push(chunk.subarray(0, maxBytes - length));
      length += chunk.length;
      if (length >= maxBytes) break;
    }
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
  } finally {
    deadline.clear();
  }
  return Buffer.concat(chunks);
}
