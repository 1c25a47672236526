// SPDX-License-Identifier: Apache-2.0

import { createHeapRelief } from './heap-relief.ts';
import type { LayerSink } from './layer-job.ts';
import { type LayerRequest, type Reply, sendError } from './thread-messages.ts';
import { unpackLayer } from './unpack.ts';

interface OpenJob {
  readonly sink: LayerSink;
  /** The end of what has been asked for so far: requests of one job run one after the other. */
  tail: Promise<void>;
}

/** Unpacks layers as requests tell it. */
export function createLayerJobs(reply: Reply): (request: LayerRequest) => void {
  const jobs = new Map<number, OpenJob>();
  const relief = createHeapRelief();
  const tell = (id: number) => (index: Uint8Array) => {
    // As below: a buffer of its own size.
    const exact = new Uint8Array(index);
    reply({ type: 'entries', id, index: exact }, [exact.buffer]);
  };
  const enqueue = (id: number, work: (sink: LayerSink) => Promise<void>): void => {
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
  };
  return (request) => {
    const { id } = request;
    switch (request.type) {
      case 'start':
        try {
          jobs.set(id, {
            sink: unpackLayer(request.job, request.tellsEntries ? tell(id) : undefined),
            tail: Promise.resolve(),
          });
        } catch (error) {
          reply({ type: 'failed', id, error: sendError(error) });
        }
        break;
      case 'bytes':
        enqueue(id, async (sink) => {
          await sink.push(new Uint8Array(request.buffer, 0, request.length));
          reply({ type: 'taken', id, buffer: request.buffer }, [request.buffer]);
        });
        break;
      case 'end':
        enqueue(id, async (sink) => {
          const { size, index } = await sink.finish();
          // What is sent is the whole buffer behind a view, so the view gets one of its own size, which is not copied again.
          const exact = index.slice();
          reply({ type: 'done', id, layer: { size, index: exact } }, [exact.buffer]);
          relief.layerDone();
          await sink.settle();
          jobs.delete(id);
          reply({ type: 'settled', id });
        });
        break;
      case 'abort':
        enqueue(id, async (sink) => {
          jobs.delete(id);
          sink.abort();
        });
        break;
    }
  };
}
