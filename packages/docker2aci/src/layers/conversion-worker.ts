// SPDX-License-Identifier: Apache-2.0
//
// Program of a worker thread of a conversion: it unpacks layers, and one of them computes the image ID, in turns with that.
// It is loaded by path or bundled into one script: it exports nothing.

import { parentPort, workerData } from 'node:worker_threads';
import { exposeCollector } from './collector.ts';
import { createHashJob } from './hash-job.ts';
import { createLayerJobs } from './layer-jobs.ts';
import type { WorkerData } from './start-worker.ts';
import type { WorkerReply, WorkerRequest } from './thread-messages.ts';

if ((workerData as WorkerData).collector) exposeCollector();

const reply = (message: WorkerReply, transfer: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, transfer);
const layers = createLayerJobs(reply);
const hash = createHashJob(reply);

parentPort?.on('message', (request: WorkerRequest) => {
  if (request.to === 'hash') hash(request);
  else layers(request);
});
