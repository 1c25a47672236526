// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { BodyQueue, readAll, readSome } from '../../src/transport/body.ts';
import { registryError } from '../registry-error.ts';

interface Recorded {
  readonly calls: string[];
  readonly body: BodyQueue;
}

function recorded(): Recorded {
  const calls: string[] = [];
  const record = (name: string) => () => {
    calls.push(name);
  };
  return { calls, body: new BodyQueue({ pause: record('pause'), resume: record('resume'), abort: record('abort') }) };
}

function ended(): BodyQueue {
  const { body } = recorded();
  body.push(new Uint8Array([1]));
  body.end();
  return body;
}

describe('BodyQueue', () => {
  it('joins small chunks that arrive in one turn', async () => {
    const { body } = recorded();
    const first = body.next();
    for (let i = 0; i < 3; i += 1) body.push(new Uint8Array([i]));
    expect(await first).toEqual({ done: false, value: Buffer.from([0, 1, 2]) });
  });

  it('does not end when a scheduled wake-up comes after its bytes were taken', async () => {
    const { body } = recorded();
    const first = body.next();
    body.push(new Uint8Array(10));
    body.push(new Uint8Array(1 << 16));
    expect((await first).value).toHaveLength((1 << 16) + 10);
    const second = body.next();
    await turn();
    body.push(new Uint8Array([7]));
    expect(await second).toEqual({ done: false, value: new Uint8Array([7]) });
    body.end();
    expect((await body.next()).done).toBe(true);
  });

  it('pauses the connection for a slow reader and resumes it once', async () => {
    const { body, calls } = recorded();
    for (let i = 0; i < 40; i += 1) body.push(new Uint8Array(1 << 16));
    expect(calls).toEqual(['pause']);
    await body.next();
    expect(calls).toEqual(['pause']);
    for (let i = 1; i < 40; i += 1) expect((await body.next()).value).toHaveLength(1 << 16);
    expect(calls).toEqual(['pause', 'resume']);
  });

  it('hands out what arrived before a failure, then the failure', async () => {
    const { body } = recorded();
    body.push(new Uint8Array([1]));
    body.fail(new Error('cut'));
    expect((await body.next()).value).toEqual(new Uint8Array([1]));
    await expect(body.next()).rejects.toThrow('cut');
  });

  it('aborts the transfer once when it is left, and wakes a waiting reader', async () => {
    const { body, calls } = recorded();
    const waiting = body.next();
    body.cancel();
    await body.return();
    expect((await waiting).done).toBe(true);
    body.push(new Uint8Array(5));
    body.fail(new Error('late'));
    expect((await body.next()).done).toBe(true);
    expect(calls).toEqual(['abort']);
  });
});

describe('reading whole bodies', () => {
  it('is not held up for ever by a server that sends a byte now and then', async () => {
    vi.useFakeTimers();
    try {
      const some = recorded();
      const all = recorded();
      const explanation = readSome(some.body, 1000);
      const document = registryError(() => readAll(all.body, 1000, 'it'));
      for (let second = 0; second < 400; second += 1) {
        some.body.push(new Uint8Array([1]));
        all.body.push(new Uint8Array([1]));
        await vi.advanceTimersByTimeAsync(1000);
      }
      expect(await explanation).toHaveLength(10);
      expect(await document).toMatchObject({ code: 'ERR_RKT_REGISTRY_TIMEOUT', actual: 300 });
      expect([some.calls, all.calls]).toEqual([['abort'], ['abort']]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers();
    try {
      for (const read of [() => readAll(ended(), 10, 'it'), () => readSome(ended(), 10)]) {
        expect(await read()).toHaveLength(1);
        expect(vi.getTimerCount()).toBe(0);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('stops at the limit', async () => {
    const { body, calls } = recorded();
    body.push(new Uint8Array(11));
    expect((await registryError(() => readAll(body, 10, 'it'))).code).toBe('ERR_RKT_REGISTRY_LIMIT_EXCEEDED');
    expect(calls).toEqual(['abort']);
  });

  it('takes the beginning of an error body that is too long', async () => {
    const { body } = recorded();
    body.push(new Uint8Array(11));
    expect(await readSome(body, 10)).toHaveLength(10);
  });
});
