// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { LayerIngest, LayerRepository } from '@rkt/appc';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultConversionLimits } from '../../src/index.ts';
import { fetchLayers } from '../../src/layers/fetch-layers.ts';
import type { LayerJob, LayerSink } from '../../src/layers/layer-job.ts';
import { createLayerJobs } from '../../src/layers/layer-jobs.ts';
import { createLayerThread } from '../../src/layers/remote-unpack.ts';
import type { LayerRequest } from '../../src/layers/thread-messages.ts';
import { unpackLayer } from '../../src/layers/unpack.ts';
import { sampleImage, sha256, tarOf } from '../sample-image.ts';
import { temporaryDirectory } from '../temporary.ts';

type Callback = (error: NodeJS.ErrnoException | null) => void;

/** Syncs that have been asked for and not been answered. */
const disk = vi.hoisted(() => ({ asked: [] as Callback[] }));
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fdatasync: (_fd: number, callback: Callback) => void disk.asked.push(callback),
}));
beforeEach(() => void disk.asked.splice(0));

const broken = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });

/** A worker that is no thread. */
function inThisThread(): Worker {
  const worker = new EventEmitter();
  const jobs = createLayerJobs((reply) => void setImmediate(() => worker.emit('message', reply)));
  const postMessage = (request: LayerRequest): void => void setImmediate(() => jobs(request));
  return Object.assign(worker, { postMessage }) as unknown as Worker;
}

const forms: readonly (readonly [string, (job: LayerJob) => LayerSink])[] = [
  ['of the calling thread', (job) => unpackLayer(job)],
  ['of a worker', (job) => createLayerThread(inThisThread()).unpack(job)],
];

/** Larger than what is written before the disk is told to begin. */
const large = await tarOf({ file: Buffer.alloc(33 << 20) });
const mediaType = 'application/vnd.oci.image.layer.v1.tar';

async function finished(open: (job: LayerJob) => LayerSink): Promise<LayerSink> {
  const path = join(await temporaryDirectory(), 'layer');
  await writeFile(path, '');
  const limits = defaultConversionLimits;
  const sink = open({ path, digest: sha256(large), mediaType, size: large.length, diffId: sha256(large), limits });
  for (let at = 0; at < large.length; at += 1 << 20) await sink.push(large.subarray(at, at + (1 << 20)));
  expect(await sink.finish()).toMatchObject({ size: large.length });
  return sink;
}

describe.each(forms)('a layer %s', (_form, open) => {
  test('is whole before it is written back, and settled only then', async () => {
    const sink = await finished(open);
    let settled = false;
    const settling = sink.settle().then(() => {
      settled = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([disk.asked.length, settled]).toEqual([1, false]);
    disk.asked[0]?.(null);
    await settling;
  });

  test('whose writing back fails says so to whoever waits for it to settle', async () => {
    const sink = await finished(open);
    disk.asked[0]?.(broken);
    await expect(sink.settle()).rejects.toMatchObject({ code: 'ERR_RKT_DOCKER2ACI_IO' });
    sink.abort();
  });
});

describe('a layer that is fetched', () => {
  /** Fetches it, and notes what becomes of it. */
  async function fetching() {
    const path = join(await temporaryDirectory(), 'layer');
    await writeFile(path, '');
    const notes: string[] = [];
    const ingest: LayerIngest = {
      ...{ state: 'ingest', path },
      commit: async ({ index }) => {
        notes.push('committed');
        return { state: 'present', path, index };
      },
      abort: async () => void notes.push('given up'),
      [Symbol.asyncDispose]: async () => undefined,
    };
    const repository: LayerRepository = { prepareLayer: async () => ingest };
    const feed = {
      arrive: () => undefined,
      expect: () => ({ onEntries: () => undefined, arrive: () => void notes.push('arrived') }),
      close: () => undefined,
    };
    const { layers } = sampleImage([{ tar: large, blob: large, mediaType }]);
    const limits = defaultConversionLimits;
    const context = { repository, feed, limits, concurrency: 1, onProgress: undefined, signal: undefined };
    const outcome = fetchLayers(layers, { ...context, threads: undefined });
    outcome.catch(() => undefined);
    await vi.waitFor(() => expect(notes).toEqual(['arrived']), { timeout: 10_000 });
    return { notes, outcome };
  }

  test('is hashed before it is on the disk, and committed after', async () => {
    const { notes, outcome } = await fetching();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(notes).toEqual(['arrived']);
    disk.asked[0]?.(null);
    await outcome;
    expect(notes).toEqual(['arrived', 'committed']);
  });

  test('is not committed when it cannot be written back', async () => {
    const { notes, outcome } = await fetching();
    disk.asked[0]?.(broken);
    await expect(outcome).rejects.toMatchObject({ code: 'ERR_RKT_DOCKER2ACI_IO' });
    expect(notes).not.toContain('committed');
  });
});
