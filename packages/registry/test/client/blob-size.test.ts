// SPDX-License-Identifier: Apache-2.0
import { parseReference } from '@rkt/refparse';
import { describe, expect, it } from 'vitest';
import { createRegistry, type ResponseBody, type Transport } from '../../src/index.ts';
import type { FaultAction } from '../../src/testing/index.ts';
import { putBytes, startLoopback } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const bytes = new Uint8Array(300_000).fill(7);

describe('the size of a blob', () => {
  it('is what HEAD says', async () => {
    await using loopback = await startLoopback();
    const { digest } = await putBytes(loopback.server, 'x', bytes);
    expect(await loopback.client.getBlobSize(loopback.reference('x'), digest)).toBe(300_000);
    expect(loopback.server.requests.map(({ method }) => method)).toEqual(['HEAD']);
  });

  const unhelpful: readonly (readonly [string, FaultAction])[] = [
    ['is not allowed', { kind: 'status', status: 405 }],
    ['is forbidden by a signed URL', { kind: 'status', status: 403 }],
    ['fails', { kind: 'status', status: 500 }],
    ['states no length', { kind: 'headers', headers: { 'content-length': '' } }],
    ['states the length of nothing', { kind: 'headers', headers: { 'content-length': '0' } }],
    ['states nonsense', { kind: 'status', status: 200, headers: { 'content-length': '9'.repeat(20) } }],
  ];
  it.each(unhelpful)('is what GET says where HEAD %s, asked once', async (_name, action) => {
    await using loopback = await startLoopback();
    const { digest } = await putBytes(loopback.server, 'x', bytes);
    loopback.server.fail({ method: 'HEAD', times: 9, action });
    expect(await loopback.client.getBlobSize(loopback.reference('x'), digest)).toBe(300_000);
    expect(loopback.server.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it('is counted where nothing is stated', async () => {
    await using loopback = await startLoopback();
    const { digest } = await putBytes(loopback.server, 'x', bytes);
    loopback.server.fail({ times: 2, action: { kind: 'headers', headers: { 'content-length': '' } } });
    expect(await loopback.client.getBlobSize(loopback.reference('x'), digest)).toBe(300_000);
  });

  it('is counted up to what the largest layer may have', async () => {
    const most = 32 * 1024 ** 3;
    const sizeOf = (...lengths: readonly number[]): Promise<number> => {
      const transport: Transport = async () => ({ status: 200, headers: {}, body: bodyOf(lengths) });
      const client = createRegistry({ transport });
      return client.getBlobSize(parseReference('example.com/x'), `sha256:${'0'.repeat(64)}`);
    };
    expect(await sizeOf(most - 1, 1)).toBe(most);
    const error = await registryError(() => sizeOf(most, 1));
    expect([error.code, error.expected]).toEqual(['ERR_RKT_REGISTRY_LIMIT_EXCEEDED', most]);
  });

  it('of one that is nowhere is an error, and one in a mirror is found', async () => {
    await using mirror = await startLoopback();
    const { digest } = await putBytes(mirror.server, 'x', bytes);
    await using loopback = await startLoopback();
    const error = await registryError(() => loopback.client.getBlobSize(loopback.reference('x'), digest));
    expect([error.code, loopback.server.requests.length]).toEqual(['ERR_RKT_REGISTRY_NOT_FOUND', 1]);
    const capabilities = new Set(['pull'] as const);
    const hosts = [loopback, mirror].map(({ server }) => ({ origin: server.origin, capabilities }));
    await using both = await startLoopback({}, { hosts: () => hosts });
    expect(await both.client.getBlobSize(loopback.reference('x'), digest)).toBe(300_000);
  });

  it('is asked for by digest alone, and not after the signal', async () => {
    await using loopback = await startLoopback();
    const repository = loopback.reference('x');
    await expect(loopback.client.getBlobSize(repository, 'sha256:../x')).rejects.toThrow(TypeError);
    const signal = AbortSignal.abort(new Error('not now'));
    const { digest } = await putBytes(loopback.server, 'x', bytes);
    await expect(loopback.client.getBlobSize(repository, digest, { signal })).rejects.toBe(signal.reason);
    expect(loopback.server.requests).toEqual([]);
  });
});

/** Chunks that only say how long they are. */
function bodyOf(lengths: readonly number[]): ResponseBody {
  return {
    async *[Symbol.asyncIterator]() {
      for (const value of lengths) yield Object.defineProperty(new Uint8Array(0), 'length', { value });
    },
    cancel: () => undefined,
  };
}
