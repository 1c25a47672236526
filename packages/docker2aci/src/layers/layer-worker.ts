// SPDX-License-Identifier: Apache-2.0
//
// Program of a worker thread that unpacks layers. It is loaded by path or bundled into one script: it exports nothing.

import { parentPort } from 'node:worker_threads';
import type { LayerSink } from './layer-job.ts';
import { type LayerReply, type LayerRequest, sendError } from './thread-messages.ts';
import { unpackLayer } from './unpack.ts';

interface OpenJob {
  readonly sink: LayerSink;
  /** The end of what has been asked for so far: requests of one job run one after the other. */
  tail: Promise<void>;
}

const jobs = new Map<number, OpenJob>();

parentPort?.on('message', (request: LayerRequest) => {
  if (request.type === 'start') start(request.id, request);
  else if (request.type === 'bytes') enqueue(request.id, (sink) => take(request, sink));
  else if (request.type === 'end') enqueue(request.id, (sink) => finish(request.id, sink));
  else enqueue(request.id, (sink) => abort(request.id, sink));
});

function start(id: number, { job }: Extract<LayerRequest, { type: 'start' }>): void {
  try {
    jobs.set(id, { sink: unpackLayer(job), tail: Promise.resolve() });
  } catch (error) {
    reply({ type: 'failed', id, error: sendError(error) });
  }
}

function enqueue(id: number, work: (sink: LayerSink) => Promise<void>): void {
  const job = jobs.get(id);
  if (job === undefined) return;
  job.tail = job.tail.then(async () => {
    if (!jobs.has(id)) return;
    try {
      await work(job.sink);
    } catch (error) {
      jobs.delete(id);
      job.sink.abort();
      reply({ type: 'failed', id, error: sendError(error) });
    }
  });
}

async function take({ id, buffer, length }: Extract<LayerRequest, { type: 'bytes' }>, sink: LayerSink): Promise<void> {
  await sink.push(new Uint8Array(buffer, 0, length));
  reply({ type: 'taken', id, buffer }, [buffer]);
}

async function finish(id: number, sink: LayerSink): Promise<void> {
  const layer = await sink.finish();
  jobs.delete(id);
  reply({ type: 'done', id, layer });
}

async function abort(id: number, sink: LayerSink): Promise<void> {
  jobs.delete(id);
  sink.abort();
}

function reply(message: LayerReply, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
