// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { type HashingJob, type ResultOf, runHashingJob } from './hashing-job.ts';
import type { StartWorker } from './start-worker.ts';
import { type HashingReply, receiveError } from './thread-messages.ts';

/** Hashes what is stored, on several cores where that pays. Disposing ends its threads, and fails what is not finished. */
export interface Hashing extends AsyncDisposable {
  /** How many jobs may be under way at a time; further ones wait. */
  readonly width: number;
  /** @throws IO, PERMISSION, the reason of the signal */
  run<J extends HashingJob>(job: J): Promise<ResultOf<J>>;
}

export interface HashingOptions {
  readonly startWorker: StartWorker;
  /** Bytes there are to hash. */
  readonly bytes: number;
  /** @default as many as there are cores */
  readonly cores?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A thread takes 40 ms of a core to start, in which SHA-256 does about as many bytes. */
const WORTH_A_THREAD = 32 * 1024 * 1024;
/** Each has a heap of its own: with more of them memory would grow with the machine. */
const MOST_THREADS = 8;

export function createHashing({ bytes, cores = availableParallelism(), ...options }: HashingOptions): Hashing {
  const width = Math.min(cores, MOST_THREADS, Math.floor(bytes / WORTH_A_THREAD));
  return width < 2 ? hashingHere(options.signal) : hashingOnThreads(width, options);
}

function hashingHere(signal: AbortSignal | undefined): Hashing {
  return {
    width: 1,
    run: (job) => runHashingJob(job, signal),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

interface Thread {
  readonly worker: Worker;
  job: WaitingJob | undefined;
}

interface WaitingJob {
  readonly job: HashingJob;
  resolve(result: never): void;
  reject(reason: unknown): void;
}

/** None is started before there is work for it. */
function hashingOnThreads(width: number, { startWorker, signal }: Omit<HashingOptions, 'bytes'>): Hashing {
  const threads = new Set<Promise<Thread>>();
  const idle: Thread[] = [];
  const waiting: WaitingJob[] = [];
  const unfinished = new Set<WaitingJob>();
  let failure: { readonly reason: unknown } | undefined;
  const fail = (reason: unknown): void => {
    failure ??= { reason };
    for (const job of unfinished) job.reject(failure.reason);
    unfinished.clear();
    waiting.length = 0;
  };
  const give = (thread: Thread): void => {
    thread.job = waiting.shift();
    if (thread.job === undefined) idle.push(thread);
    else thread.worker.postMessage(thread.job.job);
  };
  const settle = (thread: Thread, reply: HashingReply): void => {
    const { job } = thread;
    if (job !== undefined && unfinished.delete(job)) {
      if (reply.type === 'done') job.resolve(reply.result as never);
      else job.reject(receiveError(reply.error));
    }
    give(thread);
  };
  const start = async (): Promise<Thread> => {
    // Buffers are large and short-lived here: a small nursery has them collected before they pile up.
    const worker = await startWorker({ resourceLimits: { maxYoungGenerationSizeMb: 3 } });
    const thread: Thread = { worker, job: undefined };
    worker.on('message', (reply: HashingReply) => settle(thread, reply));
    worker.on('error', fail);
    worker.on('exit', () => fail(new Error('a thread that hashes ended early')));
    give(thread);
    return thread;
  };
  const onAbort = (): void => fail(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return {
    width,
    run: (job) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure.reason);
        const entry = { job, resolve, reject };
        unfinished.add(entry);
        waiting.push(entry);
        const thread = idle.pop();
        if (thread !== undefined) return give(thread);
        if (threads.size === width) return;
        const started = start();
        threads.add(started);
        started.catch(fail);
      }),
    [Symbol.asyncDispose]: async () => {
      signal?.removeEventListener('abort', onAbort);
      fail(new Error('hashing was ended'));
      const started = await Promise.allSettled(threads);
      await Promise.all(
        started.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.worker.terminate() : 0)),
      );
    },
  };
}
