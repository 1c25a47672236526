// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { startTestRegistry } from '../../src/testing/index.ts';
import { sha256 } from '../loopback.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

describe('the test registry', () => {
  it('takes a push in one request, in chunks, and by mounting', async () => {
    await using server = await startTestRegistry();
    const bytes = randomBytes(300_000);
    const digest = sha256(bytes);
    const whole = await request(`${server.origin}/v2/a/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      body: bytes,
    });
    expect([whole.statusCode, whole.headers['location']]).toEqual([201, `/v2/a/blobs/${digest}`]);

    const start = await request(`${server.origin}/v2/b/blobs/uploads/`, { method: 'POST' });
    expect(start.statusCode).toBe(202);
    const location = `${server.origin}${start.headers['location']}`;
    for (const [from, to] of [
      [0, 100_000],
      [100_000, 250_000],
    ] as const) {
      const headers = { 'content-range': `${from}-${to - 1}` };
      const chunk = await request(location, { method: 'PATCH', headers, body: bytes.subarray(from, to) });
      expect([chunk.statusCode, chunk.headers['range']]).toEqual([202, `0-${to - 1}`]);
    }
    const gap = await request(location, {
      method: 'PATCH',
      headers: { 'content-range': '280000-299999' },
      body: bytes.subarray(280_000),
    });
    expect(gap.statusCode).toBe(416);
    expect((await request(location)).headers['range']).toBe('0-249999');
    const wrong = await request(`${location}?digest=${sha256(Buffer.from('x'))}`, { method: 'PUT' });
    expect(wrong.statusCode).toBe(400);
    const done = await request(`${location}?digest=${digest}`, { method: 'PUT', body: bytes.subarray(250_000) });
    expect(done.statusCode).toBe(201);

    const mounted = await request(`${server.origin}/v2/c/blobs/uploads/?mount=${digest}&from=a`, { method: 'POST' });
    expect(mounted.statusCode).toBe(201);
    for (const repository of ['a', 'b', 'c']) {
      const read = await request(`${server.origin}/v2/${repository}/blobs/${digest}`);
      expect(sha256(new Uint8Array(await read.body.arrayBuffer()))).toBe(digest);
    }
  });

  it('takes manifests whose parts it has, by tag and by digest', async () => {
    await using server = await startTestRegistry();
    const blob = await server.putBlob('a', new Uint8Array([1]));
    const manifest = (digest: string) =>
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: { digest, size: 1 }, layers: [] }));
    const put = (reference: string, body: Buffer) =>
      request(`${server.origin}/v2/a/manifests/${reference}`, {
        method: 'PUT',
        body,
        headers: { 'content-type': MANIFEST },
      });
    const good = manifest(blob.digest);
    expect((await put('v1', good)).statusCode).toBe(201);
    expect((await put(sha256(good), good)).statusCode).toBe(201);
    expect((await put(sha256(Buffer.from('other')), good)).statusCode).toBe(400);
    expect((await put('v2', manifest(sha256(Buffer.from('missing'))))).statusCode).toBe(400);
    expect((await put('v2', Buffer.from('{'))).statusCode).toBe(400);
    const head = await request(`${server.origin}/v2/a/manifests/v1`, { method: 'HEAD' });
    expect(head.headers).toMatchObject({
      'content-type': MANIFEST,
      'docker-content-digest': sha256(good),
      'content-length': String(good.length),
    });
    expect((await request(`${server.origin}/v2/a/manifests/v1`, { method: 'DELETE' })).statusCode).toBe(202);
    expect((await request(`${server.origin}/v2/a/manifests/v1`)).statusCode).toBe(404);
  });

  it('serves files in ranges', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rkt-served-'));
    try {
      const bytes = randomBytes(3_000_000);
      await writeFile(join(directory, 'blob'), bytes);
      await using server = await startTestRegistry();
      const { digest, size } = await server.putBlob('a', { path: join(directory, 'blob') });
      expect([digest, size]).toEqual([sha256(bytes), 3_000_000]);
      const read = async (range: string) => {
        const answer = await request(`${server.origin}/v2/a/blobs/${digest}`, { headers: { range } });
        return {
          status: answer.statusCode,
          range: answer.headers['content-range'],
          bytes: Buffer.from(await answer.body.arrayBuffer()),
        };
      };
      expect(await read('bytes=10-19')).toEqual({
        status: 206,
        range: 'bytes 10-19/3000000',
        bytes: bytes.subarray(10, 20),
      });
      expect((await read('bytes=2999990-')).bytes).toEqual(bytes.subarray(2_999_990));
      expect((await read('bytes=-5')).bytes).toEqual(bytes.subarray(-5));
      expect(await read('bytes=3000000-')).toMatchObject({ status: 416, range: 'bytes */3000000' });
      expect((await read('lines=1-2')).status).toBe(200);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('lists tags in pages', async () => {
    await using server = await startTestRegistry();
    for (const tag of ['c', 'a', 'b']) server.putManifest('x', Buffer.from('{}'), { mediaType: MANIFEST, tag });
    const page = await request(`${server.origin}/v2/x/tags/list?n=2`);
    expect(await page.body.json()).toEqual({ name: 'x', tags: ['a', 'b'] });
    expect(page.headers['link']).toBe('</v2/x/tags/list?n=2&last=b>; rel="next"');
    const rest = await request(`${server.origin}/v2/x/tags/list?n=2&last=b`);
    expect([await rest.body.json(), rest.headers['link']]).toEqual([{ name: 'x', tags: ['c'] }, undefined]);
  });

  it('answers what it does not know with an error document', async () => {
    await using server = await startTestRegistry();
    for (const path of [
      '/v2/x/manifests/y',
      '/v2/x/blobs/y',
      '/v2/x/tags/list',
      '/v2/x/referrers/y',
      '/',
      '/v2/%ZZ/tags/list',
    ]) {
      const answer = await request(server.origin + path);
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(await answer.body.json()).toHaveProperty('errors');
    }
    expect((await request(`${server.origin}/v2/`)).statusCode).toBe(200);
  });
});
