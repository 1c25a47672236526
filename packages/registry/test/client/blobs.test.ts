// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRegistry, type Descriptor, type Transport, undiciTransport } from '../../src/index.ts';
import { drain, FAST_RETRY, putBytes, sha256, startLoopback, testImage } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const MiB = 1 << 20;
const repository = (domain: string) => ({ domain, path: 'r' });

describe('reading a blob', () => {
  it.each([0, 1, 65_536, 3 * MiB + 17])('of %i bytes gives exactly these bytes', async (size) => {
    await using loopback = await startLoopback();
    const bytes = randomBytes(size);
    const target = await putBytes(loopback.server, 'r', bytes);
    const reports: number[] = [];
    const reader = await loopback.client.getBlob(repository(loopback.server.domain), target, {
      onBytes: (n) => reports.push(n),
    });
    expect(reader.descriptor).toEqual(target);
    expect(Buffer.compare(await drain(reader), bytes)).toBe(0);
    expect(reports.at(-1)).toBe(size);
  });

  it('empties a chunk when the next is asked for, if the consumer agreed to that', async () => {
    await using loopback = await startLoopback();
    const bytes = randomBytes(3 * MiB + 17);
    const target = await putBytes(loopback.server, 'r', bytes);
    // What was received survives an interruption, as the bytes that are still to come do.
    loopback.server.fail({ path: '/blobs/', action: { kind: 'truncate', afterBytes: MiB } });
    for (const releaseChunks of [true, false]) {
      const open = { releaseChunks };
      const copies: Buffer[] = [];
      const given: Uint8Array[] = [];
      for await (const chunk of await loopback.client.getBlob(repository(loopback.server.domain), target, open)) {
        copies.push(Buffer.from(chunk));
        given.push(chunk);
      }
      expect(Buffer.compare(Buffer.concat(copies), bytes)).toBe(0);
      const left = given.reduce((sum, { length }) => sum + length, 0);
      // The first chunk after the header fields shares its memory with them, and is left alone.
      expect(left < MiB).toBe(releaseChunks);
      expect(left === bytes.length).toBe(!releaseChunks);
    }
  });

  it('leaves chunks alone that are the transport’s own', async () => {
    const kept = randomBytes(65_536);
    const stored = new Uint8Array(kept);
    const transport: Transport = () =>
      Promise.resolve({
        status: 200,
        headers: { 'content-length': String(stored.length) },
        body: {
          cancel: () => undefined,
          async *[Symbol.asyncIterator]() {
            yield stored;
          },
        },
      });
    await using client = createRegistry({ transport });
    const target = { mediaType: 'x/y', digest: sha256(kept), size: kept.length };
    const reader = await client.getBlob(repository('registry.example'), target, { releaseChunks: true });
    for await (const chunk of reader) expect(chunk).toBe(stored);
    expect(Buffer.compare(stored, kept)).toBe(0);
  });

  it('verifies SHA-512', async () => {
    await using loopback = await startLoopback();
    const bytes = randomBytes(1000);
    const { digest, size } = await loopback.server.putBlob('r', bytes, { algorithm: 'sha512' });
    const target: Descriptor = { mediaType: 'x/y', digest, size };
    expect((await drain(await loopback.client.getBlob(repository(loopback.server.domain), target))).length).toBe(1000);
    const wrong: Descriptor = { ...target, digest: `sha512:${createHash('sha512').update('other').digest('hex')}` };
    loopback.server.fail({ action: { kind: 'status', status: 200, body: bytes.toString('latin1') } });
    const error = await registryError(async () =>
      drain(await loopback.client.getBlob(repository(loopback.server.domain), wrong)),
    );
    expect(['ERR_RKT_REGISTRY_DIGEST_MISMATCH', 'ERR_RKT_REGISTRY_SIZE_MISMATCH']).toContain(error.code);
  });

  it('never releases the last chunk of wrong bytes', async () => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(2 * MiB));
    loopback.server.fail({ action: { kind: 'corrupt', offset: 10 } });
    let received = 0;
    const error = await registryError(async () => {
      for await (const chunk of await loopback.client.getBlob(repository(loopback.server.domain), target))
        received += chunk.length;
    });
    expect(error).toMatchObject({ code: 'ERR_RKT_REGISTRY_DIGEST_MISMATCH', expected: target.digest });
    expect(received).toBeLessThan(target.size);
  });

  it('never releases the last bytes unverified to a transport that ends with an empty chunk', async () => {
    const transport: Transport = () =>
      Promise.resolve({
        status: 200,
        headers: { 'content-length': '4' },
        body: {
          cancel: () => undefined,
          async *[Symbol.asyncIterator]() {
            yield new Uint8Array(4);
            yield new Uint8Array(0);
          },
        },
      });
    await using client = createRegistry({ transport });
    const target = { mediaType: '', digest: sha256(randomBytes(4)), size: 4 };
    let received = 0;
    const error = await registryError(async () => {
      for await (const chunk of await client.getBlob(repository('127.0.0.1:1'), target)) received += chunk.length;
    });
    expect([error.code, received]).toEqual(['ERR_RKT_REGISTRY_DIGEST_MISMATCH', 0]);
  });

  it('resumes where it was cut, with one hash over all of it', async () => {
    await using loopback = await startLoopback();
    const bytes = randomBytes(3 * MiB);
    const target = await putBytes(loopback.server, 'r', bytes);
    loopback.server.fail({ path: '/blobs/', action: { kind: 'truncate', afterBytes: MiB } });
    loopback.server.fail({ path: '/blobs/', action: { kind: 'truncate', afterBytes: 1000 } });
    expect(
      Buffer.compare(await drain(await loopback.client.getBlob(repository(loopback.server.domain), target)), bytes),
    ).toBe(0);
    const ranges = loopback.server.requests.map(({ headers }) => headers.range);
    expect(ranges).toHaveLength(3);
    expect(ranges[0]).toBeUndefined();
    expect(ranges[1]).toMatch(/^bytes=[1-9][0-9]*-$/);
  });

  it('skips what a server sends again that knows no ranges', async () => {
    await using loopback = await startLoopback();
    const bytes = randomBytes(3 * MiB);
    const target = await putBytes(loopback.server, 'r', bytes);
    loopback.server.fail({ action: { kind: 'truncate', afterBytes: MiB } });
    loopback.server.fail({ action: { kind: 'ignore-range' } });
    expect(
      Buffer.compare(await drain(await loopback.client.getBlob(repository(loopback.server.domain), target)), bytes),
    ).toBe(0);
    expect(loopback.server.requests).toHaveLength(2);
  });

  it('refuses another range than it asked for', async () => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(2 * MiB));
    loopback.server.fail({ action: { kind: 'truncate', afterBytes: MiB } });
    loopback.server.fail({
      action: { kind: 'headers', headers: { 'content-range': `bytes 0-${2 * MiB - 1}/${2 * MiB}` } },
    });
    const error = await registryError(async () =>
      drain(await loopback.client.getBlob(repository(loopback.server.domain), target)),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_PROTOCOL');
  });

  it('gives up on a server that always cuts it short, and says where', async () => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(MiB));
    loopback.server.fail({ times: 100, action: { kind: 'truncate', afterBytes: 10 } });
    const error = await registryError(async () =>
      drain(await loopback.client.getBlob(repository(loopback.server.domain), target)),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_TRUNCATED');
    expect(loopback.server.requests.length).toBeLessThanOrEqual(FAST_RETRY.attempts + 1);
  });

  it.each([1, -1])('refuses a length that differs from the descriptor by %i', async (difference) => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(1000));
    const error = await registryError(async () =>
      drain(
        await loopback.client.getBlob(repository(loopback.server.domain), {
          ...target,
          size: target.size + difference,
        }),
      ),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_SIZE_MISMATCH');
  });

  it('stops a body that goes on for ever', async () => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(1000));
    loopback.server.fail({
      action: {
        kind: 'respond',
        respond: (_request, response) => {
          response.writeHead(200);
          const timer = setInterval(() => response.write(Buffer.alloc(5000)), 1);
          response.on('close', () => clearInterval(timer));
        },
      },
    });
    const error = await registryError(async () =>
      drain(await loopback.client.getBlob(repository(loopback.server.domain), target)),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_SIZE_MISMATCH');
  });

  it('takes the bytes as they are, whatever coding a server labels them with', async () => {
    await using loopback = await startLoopback();
    const bytes = randomBytes(1000);
    const target = await putBytes(loopback.server, 'r', bytes);
    loopback.server.fail({ action: { kind: 'headers', headers: { 'content-encoding': 'gzip' } } });
    expect(sha256(await drain(await loopback.client.getBlob(repository(loopback.server.domain), target)))).toBe(
      target.digest,
    );
  });

  it('ends the transfer when it is left, disposed or aborted', async () => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(8 * MiB));
    const from = repository(loopback.server.domain);
    for await (const _ of await loopback.client.getBlob(from, target)) break;
    {
      await using unread = await loopback.client.getBlob(from, target);
      expect(unread.descriptor.size).toBe(target.size);
    }
    const abort = new AbortController();
    const reader = await loopback.client.getBlob(from, target, { signal: abort.signal });
    const reason = new Error('enough');
    await expect(
      (async () => {
        for await (const _ of reader) abort.abort(reason);
      })(),
    ).rejects.toBe(reason);
    await expect(loopback.client.getBlob(from, target, { signal: abort.signal })).rejects.toBe(reason);
    expect(loopback.server.requests).toHaveLength(3);
    // Six connections would be exhausted by now if any were still held.
    for (let i = 0; i < 8; i += 1)
      expect((await drain(await loopback.client.getBlob(from, target))).length).toBe(8 * MiB);
  });

  it('times out on a transfer that stalls and on an answer that never comes', async () => {
    const transport = undiciTransport({ headersTimeoutMs: 200, idleTimeoutMs: 200 });
    await using loopback = await startLoopback({}, { transport: transport.send, retry: { attempts: 1 } });
    const target = await putBytes(loopback.server, 'r', randomBytes(MiB));
    loopback.server.fail({ action: { kind: 'stall', afterBytes: 1000 } });
    loopback.server.fail({ action: { kind: 'stall', afterBytes: -1 } });
    for (let i = 0; i < 2; i += 1) {
      const error = await registryError(async () =>
        drain(await loopback.client.getBlob(repository(loopback.server.domain), target)),
      );
      expect(error.code).toBe('ERR_RKT_REGISTRY_TIMEOUT');
    }
    await transport.close();
  });

  it('waits as long as a slow but living server needs', async () => {
    const transport = undiciTransport({ idleTimeoutMs: 1000 });
    await using loopback = await startLoopback({}, { transport: transport.send });
    const target = await putBytes(loopback.server, 'r', randomBytes(40));
    loopback.server.fail({ action: { kind: 'drip', chunkBytes: 4, everyMs: 120 } });
    expect((await drain(await loopback.client.getBlob(repository(loopback.server.domain), target))).length).toBe(40);
    await transport.close();
  });

  it('reads many blobs at once over six connections', async () => {
    await using loopback = await startLoopback();
    const targets = await Promise.all(
      Array.from({ length: 20 }, () => putBytes(loopback.server, 'r', randomBytes(300_000))),
    );
    const from = repository(loopback.server.domain);
    const read = await Promise.all(
      targets.map(async (target) => sha256(await drain(await loopback.client.getBlob(from, target)))),
    );
    expect(read).toEqual(targets.map(({ digest }) => digest));
  });

  it('refuses descriptors no parser made', async () => {
    await using client = createRegistry();
    const digest = sha256(new Uint8Array());
    for (const target of [
      { mediaType: '', digest, size: -1 },
      { mediaType: '', digest, size: 0.5 },
      { mediaType: '', digest: 'sha256:../x', size: 1 },
      { mediaType: '', digest: `md5:${'0'.repeat(32)}`, size: 1 },
    ]) {
      await expect(client.getBlob(repository('127.0.0.1:1'), target as Descriptor)).rejects.toThrow(TypeError);
    }
  });
});

describe('retries', () => {
  it.each([408, 429, 500, 502, 503, 504])('repeat a request answered with %i', async (status) => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(10));
    loopback.server.fail({ times: 2, action: { kind: 'status', status } });
    expect((await drain(await loopback.client.getBlob(repository(loopback.server.domain), target))).length).toBe(10);
    expect(loopback.server.requests).toHaveLength(3);
  });

  it('repeat a request whose connection was dropped', async () => {
    await using loopback = await startLoopback();
    const target = await putBytes(loopback.server, 'r', randomBytes(10));
    loopback.server.fail({ times: 2, action: { kind: 'drop' } });
    expect((await drain(await loopback.client.getBlob(repository(loopback.server.domain), target))).length).toBe(10);
  });

  it('repeat a manifest and a list of tags that were cut in the middle', async () => {
    await using loopback = await startLoopback();
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(1));
    loopback.server.fail({ path: '/manifests/', times: 2, action: { kind: 'truncate', afterBytes: 20 } });
    expect((await loopback.client.getManifest(loopback.reference('x'))).bytes.length).toBeGreaterThan(20);
    expect(loopback.server.requests).toHaveLength(3);
    loopback.server.fail({ path: '/tags/', times: 2, action: { kind: 'truncate', afterBytes: 5 } });
    const tags: string[] = [];
    for await (const tag of loopback.client.listTags(loopback.reference('x'))) tags.push(tag);
    expect(tags).toEqual(['latest']);
    expect(loopback.server.requests).toHaveLength(6);
  });

  it('are as many as the policy says where a whole answer is repeated', async () => {
    await using loopback = await startLoopback();
    loopback.server.fail({ times: 99, method: 'GET', action: { kind: 'status', status: 503 } });
    await registryError(() => loopback.client.getManifest(loopback.reference('x')));
    expect(loopback.server.requests).toHaveLength(FAST_RETRY.attempts);
  });

  it('wait as long as Retry-After says, and tell', async () => {
    const waits: number[] = [];
    await using loopback = await startLoopback({}, { onRetry: ({ waitMs }) => waits.push(waitMs) });
    const target = await putBytes(loopback.server, 'r', randomBytes(10));
    loopback.server.fail({ action: { kind: 'status', status: 429, headers: { 'retry-after': '1' } } });
    const start = performance.now();
    await drain(await loopback.client.getBlob(repository(loopback.server.domain), target));
    expect(performance.now() - start).toBeGreaterThan(950);
    expect(waits).toEqual([1000]);
  });

  it('do not happen when the wait is too long, and the error says how long', async () => {
    await using loopback = await startLoopback();
    loopback.server.fail({ times: 9, action: { kind: 'status', status: 429, headers: { 'retry-after': '3600' } } });
    const error = await registryError(() => loopback.client.resolve(loopback.reference('x')));
    expect(error).toMatchObject({ code: 'ERR_RKT_REGISTRY_RATE_LIMITED', retryAfterMs: 3_600_000 });
    expect(error.message).toContain('3600 s');
    expect(loopback.server.requests).toHaveLength(1);
  });

  it('do not happen for what will not change', async () => {
    await using loopback = await startLoopback();
    loopback.server.fail({ times: 9, method: 'GET', action: { kind: 'status', status: 400 } });
    expect((await registryError(() => loopback.client.getManifest(loopback.reference('x')))).code).toBe(
      'ERR_RKT_REGISTRY_PROTOCOL',
    );
    expect(loopback.server.requests).toHaveLength(1);
  });

  it('end at once when the operation is aborted', async () => {
    await using loopback = await startLoopback({}, { retry: { attempts: 5, baseMs: 60_000 } });
    loopback.server.fail({ times: 9, action: { kind: 'status', status: 503 } });
    const signal = AbortSignal.timeout(50);
    await expect(loopback.client.resolve(loopback.reference('x'), { signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});
