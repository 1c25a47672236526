// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { createSpareWorker } from '../../src/layers/spare-worker.ts';
import { workerOptions } from '../../src/layers/start-worker.ts';

const usual = workerOptions({ lean: false });
const lean = workerOptions({ lean: true });
/** Waits until it is told to end. */
const waiting = "require('node:worker_threads').parentPort.once('message', () => undefined)";

/** Starts workers with this program, and knows them. */
function starter(program = waiting) {
  const started: Worker[] = [];
  const startWorker = (options: WorkerOptions): Worker => {
    const worker = new Worker(program, { ...options, eval: true });
    started.push(worker);
    return worker;
  };
  return { started, startWorker };
}

it.runIf(availableParallelism() > 1)('gives the worker it has to the first who wants one like it', async () => {
  const { started, startWorker } = starter();
  const spare = createSpareWorker(startWorker);
  expect(started).toHaveLength(1);
  const first = spare.startWorker(usual);
  expect(first).toBe(started[0]);
  expect(first.listenerCount('error') + first.listenerCount('exit')).toBe(0);
  expect(spare.startWorker(usual)).toBe(started[1]);
  await spare[Symbol.asyncDispose]();
  // What was given away is no longer its own to end.
  for (const worker of started) {
    expect(worker.threadId).toBeGreaterThan(0);
    await worker.terminate();
  }
});

it.runIf(availableParallelism() > 1)('ends the worker it has when another kind is wanted', async () => {
  const { started, startWorker } = starter();
  const spare = createSpareWorker(startWorker);
  const ended = once(started[0] as Worker, 'exit');
  const other = spare.startWorker(lean);
  expect(other).toBe(started[1]);
  expect(other.resourceLimits).toMatchObject({ maxYoungGenerationSizeMb: 3 });
  await ended;
  expect(spare.startWorker(usual)).toBe(started[2]);
  await Promise.all(started.map((worker) => worker.terminate()));
});

it('ends a worker that nobody took', async () => {
  const { started, startWorker } = starter();
  const spare = createSpareWorker(startWorker);
  await spare[Symbol.asyncDispose]();
  await spare[Symbol.asyncDispose]();
  expect(started.map(({ threadId }) => threadId)).toEqual(started.map(() => -1));
});

it('starts another where the spare one could not start', async () => {
  const { started, startWorker } = starter("throw new Error('no')");
  const spare = createSpareWorker(startWorker);
  await Promise.all(started.map((worker) => once(worker, 'exit').catch(() => undefined)));
  const next = spare.startWorker(usual);
  expect(started.indexOf(next)).toBe(started.length - 1);
  expect(next).not.toBe(started[started.length - 2]);
  await expect(once(next, 'exit')).rejects.toThrow('no');
  await spare[Symbol.asyncDispose]();
});
