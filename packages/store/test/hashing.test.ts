// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { sampleLayer } from '@rkt/store/testing';
import { describe, expect, it } from 'vitest';
import { createHashing, type Hashing } from '../src/verify/hashing.ts';
import { inOrder } from '../src/verify/in-order.ts';
import { type StartWorker, startPackagedWorker } from '../src/verify/start-worker.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const MANY_BYTES = 1024 ** 3;

describe.each([
  ['in the calling thread', 0],
  ['on threads', MANY_BYTES],
])('hashing %s', (_where, bytes) => {
  it('gives what follows from a layer, whole, damaged or missing', async () => {
    await using hashing = createHashing({ startWorker: startPackagedWorker, bytes, cores: 2 });
    const layer = sampleLayer({ a: 'a'.repeat(5000) });
    const path = join(temporaryDirectory(), 'layer.tar');
    writeFileSync(path, layer.tar);
    const other = `sha256:${'0'.repeat(64)}`;
    const results = await Promise.all([
      hashing.run({ kind: 'layer', diffId: layer.diffId, path }),
      hashing.run({ kind: 'layer', diffId: other, path }),
      hashing.run({ kind: 'layer', diffId: other, path: `${path}.none` }),
    ]);
    expect(results).toEqual([
      { kind: 'ok', size: layer.tar.length, index: expect.anything() },
      { kind: 'corrupt', actual: layer.diffId },
      { kind: 'missing' },
    ]);
    const [whole] = results;
    expect(Buffer.from((whole?.kind === 'ok' && whole.index) || [])).toEqual(Buffer.from(layer.index));
  });

  it('has the codes of what goes wrong', async () => {
    await using hashing = createHashing({ startWorker: startPackagedWorker, bytes, cores: 2 });
    const path = temporaryDirectory();
    await expect(hashing.run({ kind: 'layer', diffId: '', path })).rejects.toMatchObject({
      code: 'ERR_RKT_STORE_IO',
      path,
    });
  });

  it('ends when told to', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await using hashing = createHashing({ startWorker: startPackagedWorker, bytes, cores: 2, signal });
    await expect(hashing.run({ kind: 'layer', diffId: '', path: '/dev/zero' })).rejects.toBe(reason);
  });
});

describe('hashing on threads', () => {
  it('does as much at a time as there are cores, and the rest in turn', async () => {
    const workers: Worker[] = [];
    const startWorker: StartWorker = async (options) => {
      const worker = await startPackagedWorker(options);
      workers.push(worker);
      return worker;
    };
    await using hashing = createHashing({ startWorker, bytes: MANY_BYTES, cores: 3 });
    expect(hashing.width).toBe(3);
    const layers = Array.from({ length: 20 }, (_, at) => sampleLayer({ [`file${at}`]: 'x' }));
    const dir = temporaryDirectory();
    const states = await Promise.all(
      layers.map(({ diffId, tar }, at) => {
        writeFileSync(join(dir, `${at}.tar`), tar);
        return hashing.run({ kind: 'layer', diffId, path: join(dir, `${at}.tar`) });
      }),
    );
    expect(states.map(({ kind }) => kind)).toEqual(layers.map(() => 'ok'));
    expect(workers).toHaveLength(3);
  });

  it('stays in the calling thread for what is hashed sooner than a thread is started', () => {
    const startWorker: StartWorker = () => {
      throw new Error('not needed');
    };
    expect(createHashing({ startWorker, bytes: 1024 ** 2, cores: 64 }).width).toBe(1);
    expect(createHashing({ startWorker, bytes: 2 * MANY_BYTES, cores: 1 }).width).toBe(1);
    expect(createHashing({ startWorker, bytes: 1024 * MANY_BYTES, cores: 64 }).width).toBe(8);
  });

  it.each([
    ['ends', () => new Worker('process.exit(3)', { eval: true }), /ended early/],
    ['throws', () => new Worker('throw new Error("no such luck")', { eval: true }), /no such luck/],
    ['cannot be started', () => Promise.reject(new Error('no threads')), /no threads/],
  ])('fails when a thread %s, and what is asked later, too', async (_what, startWorker, message) => {
    await using hashing = createHashing({ startWorker, bytes: MANY_BYTES, cores: 2 });
    await expect(hashOf(hashing)).rejects.toThrow(message);
    await expect(hashOf(hashing)).rejects.toThrow(message);
  });

  it('fails what is not finished when it is disposed of', async () => {
    const hashing = createHashing({ startWorker: startPackagedWorker, bytes: MANY_BYTES, cores: 2 });
    const endless = hashing.run({ kind: 'layer', diffId: '', path: '/dev/zero' });
    const ended = expect(endless).rejects.toThrow('ended');
    await hashing[Symbol.asyncDispose]();
    await ended;
  });
});

function hashOf(hashing: Hashing): Promise<unknown> {
  const diffId = `sha256:${createHash('sha256').digest('hex')}`;
  return hashing.run({ kind: 'layer', diffId, path: '/dev/null' });
}

describe('working in order', () => {
  const result = (value: number, disposed: number[] = []) => ({
    value,
    [Symbol.asyncDispose]: async () => void disposed.push(value),
  });

  it('gives results in the order of the items, with so many under way', async () => {
    let running = 0;
    let most = 0;
    const work = async (value: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 10 - value));
      running -= 1;
      return result(value);
    };
    const values: number[] = [];
    for await (const { value } of inOrder([1, 2, 3, 4, 5, 6], 3, work)) values.push(value);
    expect([values, most]).toEqual([[1, 2, 3, 4, 5, 6], 3]);
  });

  it('disposes of what nobody takes, when a work fails or nobody wants more', async () => {
    const disposed: number[] = [];
    const work = async (value: number) => {
      if (value === 2) throw new Error('no 2');
      return result(value, disposed);
    };
    const take = async (items: readonly number[]): Promise<void> => {
      for await (const { value } of inOrder(items, 3, work)) if (value === 4) break;
    };
    await expect(take([1, 2, 3, 5])).rejects.toThrow('no 2');
    await take([4, 6, 7, 8]);
    expect(disposed).toEqual([3, 5, 6, 7]);
  });
});
