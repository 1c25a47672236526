// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type Descriptor,
  RegistryError,
  type RegistryOptions,
  type Transport,
  undiciTransport,
} from '../../src/index.ts';
import type { TestRegistryOptions } from '../../src/testing/index.ts';
import { drain, sha256, startLoopback } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const MiB = 1 << 20;
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

function blobOf(bytes: Uint8Array): Descriptor {
  return { mediaType: 'application/octet-stream', digest: sha256(bytes), size: bytes.length };
}

async function loopback(server?: TestRegistryOptions, client?: RegistryOptions) {
  const started = await startLoopback(server, client);
  return Object.assign(started, { repository: { domain: started.server.domain, path: 'team/app' } });
}

describe('a pushed blob', () => {
  it.each([0, 1, 4 * MiB, 9 * MiB + 17])('of %i bytes is there afterwards, byte for byte', async (size) => {
    await using it = await loopback();
    const bytes = randomBytes(size);
    const target = blobOf(bytes);
    const sent: number[] = [];
    const open = function* () {
      for (let at = 0; at < size; at += 100_000) yield bytes.subarray(at, at + 100_000);
    };
    await it.client.putBlob(it.repository, target, { open, onBytes: (count) => sent.push(count) });
    expect(sent.at(-1) ?? 0).toBe(size);
    expect(Buffer.compare(await drain(await it.client.getBlob(it.repository, target)), bytes)).toBe(0);
  });

  it('that is there already is not sent, and one of a neighbour is mounted', async () => {
    await using it = await loopback();
    const bytes = randomBytes(1000);
    const target = blobOf(bytes);
    const open = () => {
      throw new Error('it was asked for');
    };
    await it.server.putBlob('team/app', bytes);
    await it.client.putBlob(it.repository, target, { open });
    const other = { ...it.repository, path: 'team/other' };
    await it.client.putBlob(other, target, { open, mountFrom: 'team/app' });
    expect((await drain(await it.client.getBlob(other, target))).length).toBe(1000);
  });

  it('survives chunks that do not arrive', async () => {
    await using it = await loopback();
    const bytes = randomBytes(9 * MiB);
    it.server.fail({ method: 'PATCH', action: { kind: 'status', status: 503 } });
    it.server.fail({ method: 'PATCH', action: { kind: 'drop' } });
    await it.client.putBlob(it.repository, blobOf(bytes), { open: () => [bytes] });
    expect((await drain(await it.client.getBlob(it.repository, blobOf(bytes)))).length).toBe(bytes.length);
  });

  it('goes on after a chunk whose answer was lost, where the registry says it is', async () => {
    const own = undiciTransport();
    let lost = 0;
    const transport: Transport = async (request) => {
      const response = await own.send(request);
      if (request.method !== 'PATCH' || lost++ > 0) return response;
      throw new RegistryError('ERR_RKT_REGISTRY_UNREACHABLE', 'the answer was lost', { transient: true });
    };
    await using it = await loopback({}, { transport });
    const bytes = randomBytes(9 * MiB);
    await it.client.putBlob(it.repository, blobOf(bytes), { open: () => [bytes] });
    expect(it.server.requests.some(({ method, path }) => method === 'GET' && path.includes('/uploads/'))).toBe(true);
    expect(Buffer.compare(await drain(await it.client.getBlob(it.repository, blobOf(bytes))), bytes)).toBe(0);
    await own.close();
  });

  it.each([
    ['other bytes', 'DIGEST_MISMATCH', () => [randomBytes(10)]],
    ['too few bytes', 'SIZE_MISMATCH', () => [randomBytes(9)]],
    ['too many bytes', 'SIZE_MISMATCH', () => [randomBytes(11)]],
  ])('with %s is never completed', async (_name, code, open) => {
    await using it = await loopback();
    const error = await registryError(() => it.client.putBlob(it.repository, blobOf(randomBytes(10)), { open }));
    expect(error.code).toBe(`ERR_RKT_REGISTRY_${code}`);
    expect(it.server.requests.some(({ method }) => method === 'PUT')).toBe(false);
  });

  it('does not follow the registry to another host, and a redirect of a write is none', async () => {
    await using it = await loopback();
    const bytes = randomBytes(10);
    const push = () => it.client.putBlob(it.repository, blobOf(bytes), { open: () => [bytes] });
    const location = 'https://elsewhere.example/upload';
    it.server.fail({ method: 'POST', action: { kind: 'status', status: 202, headers: { location } } });
    expect((await registryError(push)).code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
    it.server.fail({ method: 'POST', action: { kind: 'status', status: 307, headers: { location } } });
    expect((await registryError(push)).code).toBe('ERR_RKT_REGISTRY_PROTOCOL');
  });

  it.each([
    ['as the challenge says', {}],
    ['by itself where the challenge does not say', { scope: 'omitted' as const }],
  ])('asks for a token that may push, %s', async (_name, scope) => {
    const auth = { kind: 'bearer', username: 'me', password: 'secret', ...scope } as const;
    const credential = { kind: 'basic', username: 'me', password: 'secret' } as const;
    await using it = await loopback({ auth }, { keychain: { resolve: async () => credential } });
    const bytes = randomBytes(10);
    await it.client.putBlob(it.repository, blobOf(bytes), { open: () => [bytes] });
    expect((await drain(await it.client.getBlob(it.repository, blobOf(bytes)))).length).toBe(10);
  });

  it('goes to no mirror that does not say it may be written to', async () => {
    await using it = await loopback();
    await using mirror = await loopback();
    await using client = (await startLoopback({}, { hosts: () => [{ origin: mirror.server.origin }] })).client;
    const bytes = randomBytes(10);
    const push = () => client.putBlob(it.repository, blobOf(bytes), { open: () => [bytes] });
    expect((await registryError(push)).code).toBe('ERR_RKT_REGISTRY_UNREACHABLE');
    expect(mirror.server.requests).toEqual([]);
  });
});

describe('a pushed manifest', () => {
  it('is there by tag and by digest once its blobs are', async () => {
    await using it = await loopback();
    const config = Buffer.from('{}');
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: blobOf(config), layers: [] }),
    );
    const reference = it.reference('team/app:1');
    const put = () => it.client.putManifest(reference, { bytes, mediaType: manifestType });
    expect((await registryError(put)).message).toContain('unknown to registry');
    await it.client.putBlob(it.repository, blobOf(config), { open: () => [config] });
    const descriptor = await put();
    expect(descriptor).toEqual({ mediaType: manifestType, digest: sha256(bytes), size: bytes.length });
    expect((await it.client.getManifest(reference)).descriptor).toEqual(descriptor);
    await it.client.putManifest(
      { ...reference, tag: undefined, digest: descriptor.digest },
      { bytes, mediaType: manifestType },
    );
  });

  it('is not sent under a digest that is not its own', async () => {
    await using it = await loopback();
    const reference = { ...it.reference('team/app:1'), tag: undefined, digest: sha256(Buffer.from('x')) };
    const put = it.client.putManifest(reference, { bytes: Buffer.from('{}'), mediaType: manifestType });
    await expect(put).rejects.toThrow(TypeError);
    expect(it.server.requests).toEqual([]);
  });
});
