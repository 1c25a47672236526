// SPDX-License-Identifier: Apache-2.0
//
// Program of a thread that hashes what is stored. It is loaded by path or bundled into one script: it exports nothing.

import { parentPort } from 'node:worker_threads';
import { type HashingJob, runHashingJob } from './hashing-job.ts';
import { type HashingReply, sendError } from './thread-messages.ts';

const reply = (message: HashingReply): void => parentPort?.postMessage(message);

parentPort?.on('message', (job: HashingJob) => {
  runHashingJob(job, undefined).then(
    (result) => reply({ type: 'done', result }),
    (error: unknown) => reply({ type: 'failed', error: sendError(error) }),
  );
});
