// SPDX-License-Identifier: Apache-2.0
import type { Worker } from 'node:worker_threads';
import { ConversionError } from '../errors.ts';
import type { LayerJob, LayerSink, OnEntries, UnpackedLayer } from './layer-job.ts';
import { type LayerReply, type LayerRequest, receiveError, type WorkerReply } from './thread-messages.ts';

/** A worker thread that unpacks layers, several at once if need be. */
export interface LayerThread {
  readonly worker: Worker;
  readonly openJobs: number;
  unpack(job: LayerJob, onEntries?: OnEntries): LayerSink;
  terminate(): Promise<void>;
}

/** What crosses to a worker at a time, and how many such buffers a layer has: all the memory a layer in flight takes here. */
const BUFFER_BYTES = 256 * 1024;
const BUFFERS_PER_LAYER = 4;

export function createLayerThread(worker: Worker): LayerThread {
  const sinks = new Map<number, RemoteSink>();
  let lastId = 0;
  let dead: ConversionError | undefined;
  const die = (error: ConversionError): void => {
    dead ??= error;
    for (const sink of sinks.values()) sink.fail(dead);
    sinks.clear();
  };
  worker.on('message', (reply: WorkerReply) => {
    if (!('id' in reply)) return;
    sinks.get(reply.id)?.receive(reply);
    if (reply.type === 'settled' || reply.type === 'failed') sinks.delete(reply.id);
  });
  worker.on('error', (error) => die(workerFailed(error.message, error)));
  worker.on('exit', () => die(workerFailed('it ended early')));
  return {
    worker,
    get openJobs() {
      return [...sinks.values()].filter((sink) => sink.unpacking).length;
    },
    unpack(job, onEntries) {
      if (dead !== undefined) throw dead;
      lastId += 1;
      const sink = new RemoteSink({ worker, id: lastId, onEntries, forget: (id) => sinks.delete(id) });
      sinks.set(lastId, sink);
      sink.start(job);
      return sink;
    },
    terminate: async () => {
      await worker.terminate();
    },
  };
}

export function workerFailed(why: string, cause?: unknown): ConversionError {
  return new ConversionError('ERR_RKT_DOCKER2ACI_WORKER_FAILED', `a worker thread failed: ${why}`, { cause });
}

interface RemoteSinkOptions {
  readonly worker: Worker;
  readonly id: number;
  readonly onEntries: OnEntries | undefined;
  readonly forget: (id: number) => void;
}

class RemoteSink implements LayerSink {
  readonly #worker: Worker;
  readonly #id: number;
  readonly #onEntries: OnEntries | undefined;
  readonly #forget: (id: number) => void;
  readonly #outcome = Promise.withResolvers<UnpackedLayer>();
  readonly #settled = Promise.withResolvers<void>();
  #free: ArrayBuffer[] = [];
  #allocated = 0;
  #filling: ArrayBuffer | undefined;
  #filled = 0;
  #failure: ConversionError | undefined;
  #unpacking = true;
  #wake: () => void = () => undefined;

  constructor({ worker, id, onEntries, forget }: RemoteSinkOptions) {
    this.#worker = worker;
    this.#id = id;
    this.#onEntries = onEntries;
    this.#forget = forget;
    // Whoever pushes learns of a failure by the push; the promises are for `finish` and `settle`.
    this.#outcome.promise.catch(() => undefined);
    this.#settled.promise.catch(() => undefined);
  }

  /** Whether the worker has anything left to do for it but to wait. */
  get unpacking(): boolean {
    return this.#unpacking;
  }

  start(job: LayerJob): void {
    this.#send({ to: 'layers', type: 'start', id: this.#id, job, tellsEntries: this.#onEntries !== undefined });
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const buffer = this.#filling ?? (await this.#obtain());
      this.#filling = buffer;
      const part = bytes.subarray(at, at + BUFFER_BYTES - this.#filled);
      new Uint8Array(buffer).set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BUFFER_BYTES) this.#flush();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async finish(): Promise<UnpackedLayer> {
    this.#flush();
    this.#send({ to: 'layers', type: 'end', id: this.#id });
    return this.#outcome.promise;
  }

  settle(): Promise<void> {
    return this.#settled.promise;
  }

  abort(): void {
    this.#free = [];
    this.#filling = undefined;
    this.#forget(this.#id);
    this.#send({ to: 'layers', type: 'abort', id: this.#id });
  }

  receive(reply: LayerReply): void {
    if (reply.type === 'done') this.#done(reply.layer);
    else if (reply.type === 'settled') this.#settled.resolve();
    else if (reply.type === 'failed') this.fail(receiveError(reply.error));
    else if (reply.type === 'entries') this.#onEntries?.(reply.index);
    else {
      this.#free.push(reply.buffer);
      this.#wake();
    }
  }

  #done(layer: UnpackedLayer): void {
    this.#unpacking = false;
    this.#outcome.resolve(layer);
  }

  fail(error: ConversionError): void {
    this.#failure = error;
    this.#outcome.reject(error);
    this.#settled.reject(error);
    this.#wake();
  }

  async #obtain(): Promise<ArrayBuffer> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const buffer = this.#free.pop();
      if (buffer !== undefined) return buffer;
      if (this.#allocated < BUFFERS_PER_LAYER) {
        this.#allocated += 1;
        return new ArrayBuffer(BUFFER_BYTES);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #flush(): void {
    const buffer = this.#filling;
    if (buffer === undefined) return;
    this.#send({ to: 'layers', type: 'bytes', id: this.#id, buffer, length: this.#filled }, [buffer]);
    this.#filling = undefined;
    this.#filled = 0;
  }

  #send(request: LayerRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }
}
