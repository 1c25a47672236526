// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
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
