// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDigest } from '@rkt/refparse';
import { describe, expect, it } from 'vitest';
import { createRegistry, imageSource } from '../../src/index.ts';
import { AMD64, drain, FAST_RETRY, sha256, startLoopback, testImage } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const encode = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document));

describe('opening an image', () => {
  it.each(['oci', 'docker'] as const)('reads manifest, configuration and layers of an %s image', async (format) => {
    await using loopback = await startLoopback();
    const built = testImage(100_000, 0, 5);
    const placed = await loopback.server.putImage(
      { repository: 'a/b', tag: 'v1' },
      { ...built, format, config: { Env: ['A=b'] } },
    );
    const image = await loopback.open('a/b:v1');
    expect(image.descriptor).toEqual({ mediaType: placed.mediaType, ...placed.manifest });
    expect(sha256(image.manifestBytes)).toBe(placed.manifest.digest);
    expect(sha256(image.configBytes)).toBe(placed.config.digest);
    expect(image.config.config?.env).toEqual(['A=b']);
    expect(image.layers.map((layer) => layer.diffId)).toEqual(built.layers.map((layer) => layer.diffId));
    for (const [i, layer] of image.layers.entries()) {
      expect(Buffer.compare(await drain(await layer.open()), built.bytes[i] ?? new Uint8Array())).toBe(0);
    }
    const requests = loopback.server.requests.map(({ method, path }) => `${method} ${path.split('/').slice(-2, -1)}`);
    expect(requests).toEqual(['GET manifests', 'GET blobs', 'GET blobs', 'GET blobs', 'GET blobs']);
  });

  it('asks for undecoded bytes and all manifest types in one field', async () => {
    await using loopback = await startLoopback();
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    await loopback.open('x');
    for (const { headers } of loopback.server.requests) {
      expect(headers['accept-encoding']).toBe('identity');
      expect(headers.authorization).toBeUndefined();
    }
    expect(loopback.server.requests[0]?.headers.accept?.split(', ')).toContain(INDEX);
  });

  it('follows an index, also a nested one, to the platform', async () => {
    await using loopback = await startLoopback();
    const { server } = loopback;
    const arm = await server.putImage({ repository: 'x' }, { ...testImage(10), architecture: 'arm64' });
    const amd = await server.putImage({ repository: 'x' }, testImage(20));
    const inner = encode({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        { mediaType: MANIFEST, ...arm.manifest, platform: { os: 'linux', architecture: 'arm64' } },
        { mediaType: MANIFEST, ...amd.manifest, platform: { os: 'linux', architecture: 'amd64' } },
        { mediaType: 'application/x-unknown', ...arm.manifest, platform: { os: 'linux', architecture: 'amd64' } },
      ],
    });
    const digest = server.putManifest('x', inner, { mediaType: INDEX });
    const outer = encode({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ mediaType: INDEX, digest, size: inner.length }],
    });
    server.putManifest('x', outer, { mediaType: INDEX, tag: 'latest' });
    expect((await loopback.open('x')).descriptor.digest).toBe(amd.manifest.digest);
    const error = await registryError(() =>
      imageSource(loopback.client).open(loopback.reference('x'), { platform: { os: 'linux', architecture: 's390x' } }),
    );
    expect(error.code).toBe('ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM');
  });

  it('says what a single image is for when that is not what is wanted', async () => {
    await using loopback = await startLoopback();
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, { ...testImage(10), architecture: 'arm64' });
    const error = await registryError(() => loopback.open('x'));
    expect([error.code, error.platforms]).toEqual(['ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM', ['linux/arm64']]);
  });

  it('gives up on indices that are nested too deep', async () => {
    await using loopback = await startLoopback();
    const { server } = loopback;
    const built = await server.putImage({ repository: 'x' }, testImage(10));
    let child = { mediaType: MANIFEST, ...built.manifest };
    for (let depth = 0; depth < 12; depth += 1) {
      const bytes = encode({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [child],
        annotations: { depth: String(depth) },
      });
      child = {
        mediaType: INDEX,
        digest: server.putManifest('x', bytes, { mediaType: INDEX, tag: 'latest' }),
        size: bytes.length,
      };
    }
    expect((await registryError(() => loopback.open('x'))).code).toBe('ERR_RKT_REGISTRY_LIMIT_EXCEEDED');
  });

  it.each([
    ['size', { size: 3 }, 'ERR_RKT_REGISTRY_SIZE_MISMATCH'],
    [
      'type',
      { mediaType: 'application/vnd.docker.distribution.manifest.v2+json' },
      'ERR_RKT_REGISTRY_MANIFEST_INVALID',
    ],
  ])('refuses a manifest whose %s is not what the index says', async (_name, lie, code) => {
    await using loopback = await startLoopback();
    const built = await loopback.server.putImage({ repository: 'x' }, testImage(10));
    const manifests = [{ mediaType: MANIFEST, ...built.manifest, platform: AMD64, ...lie }];
    loopback.server.putManifest('x', encode({ schemaVersion: 2, mediaType: INDEX, manifests }), {
      mediaType: INDEX,
      tag: 'latest',
    });
    expect((await registryError(() => loopback.open('x'))).code).toBe(code);
  });

  it('refuses a configuration that is too large before it asks for it', async () => {
    await using loopback = await startLoopback();
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: sha256(new Uint8Array()),
      size: 9 << 20,
    };
    const bytes = encode({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] });
    loopback.server.putManifest('x', bytes, { mediaType: MANIFEST, tag: 'latest' });
    expect((await registryError(() => loopback.open('x'))).code).toBe('ERR_RKT_REGISTRY_LIMIT_EXCEEDED');
    expect(loopback.server.requests).toHaveLength(1);
  });

  it('refuses layers it could not read', async () => {
    await using loopback = await startLoopback();
    const image = testImage(10);
    const layers = image.layers.map((layer) => ({
      ...layer,
      mediaType: 'application/vnd.oci.image.layer.v1.tar+encrypted',
    }));
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, { ...image, layers });
    expect((await registryError(() => loopback.open('x'))).code).toBe('ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE');
  });

  it('serves and reads an OCI layout from its files', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rkt-layout-'));
    try {
      const layer = new Uint8Array(70_000).fill(7);
      const config = encode({
        architecture: 'amd64',
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: [sha256(layer)] },
      });
      const manifest = encode({
        schemaVersion: 2,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(config), size: config.length },
        layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(layer), size: layer.length }],
      });
      await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
      for (const bytes of [layer, config, manifest]) {
        await writeFile(join(directory, 'blobs', 'sha256', sha256(bytes).slice(7)), bytes);
      }
      const manifests = [{ mediaType: MANIFEST, digest: sha256(manifest), size: manifest.length }];
      await writeFile(join(directory, 'index.json'), encode({ schemaVersion: 2, manifests }));
      await using loopback = await startLoopback();
      expect(await loopback.server.addLayout(directory, { repository: 'l', tag: 'v' })).toBe(sha256(manifest));
      const image = await loopback.open('l:v');
      const [only] = image.layers;
      expect(only === undefined ? 0 : (await drain(await only.open())).length).toBe(70_000);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('manifests', () => {
  it('resolve with one HEAD request', async () => {
    await using loopback = await startLoopback();
    const { manifest, mediaType } = await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    expect(await loopback.client.resolve(loopback.reference('x'))).toEqual({ mediaType, ...manifest });
    expect(loopback.server.requests.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('and blobs reuse connections, after challenges and redirects too', async () => {
    await using loopback = await startLoopback({ auth: { kind: 'bearer' } });
    const { manifest } = await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    // The first request is answered with a challenge, the second leads elsewhere.
    await loopback.client.getManifest(loopback.reference('x'));
    loopback.server.fail({ action: { kind: 'redirect', location: `/v2/x/manifests/${manifest.digest}` } });
    const [layer] = (await loopback.open('x')).layers;
    if (layer !== undefined) await drain(await layer.open());
    expect(loopback.server.requests.length).toBeGreaterThan(5);
    // The pool may open a second one while the first is being handed back; a broken-off answer would cost one each.
    expect(new Set(loopback.server.requests.map(({ clientPort }) => clientPort)).size).toBeLessThanOrEqual(2);
  });

  it.each([
    ['no HEAD', { kind: 'status', status: 405 }],
    ['a HEAD that is forbidden', { kind: 'status', status: 403 }],
    ['no digest field', { kind: 'headers', headers: { 'docker-content-digest': '' } }],
    ['a broken digest field', { kind: 'headers', headers: { 'docker-content-digest': 'sha256:../x' } }],
  ] as const)('resolve from the bytes where there is %s', async (_name, action) => {
    await using loopback = await startLoopback();
    const { manifest } = await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    loopback.server.fail({ method: 'HEAD', action });
    expect((await loopback.client.resolve(loopback.reference('x'))).digest).toBe(manifest.digest);
    expect(loopback.server.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it('have the digest of their bytes, whatever the header says', async () => {
    await using loopback = await startLoopback();
    const { manifest } = await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    loopback.server.fail({
      action: { kind: 'headers', headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } },
    });
    expect((await loopback.client.getManifest(loopback.reference('x'))).descriptor.digest).toBe(manifest.digest);
  });

  it('are refused when they are not what the digest names', async () => {
    await using loopback = await startLoopback();
    const { manifest } = await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    loopback.server.fail({ action: { kind: 'corrupt', offset: 20 } });
    const pinned = withDigest(loopback.reference('x'), manifest.digest);
    const error = await registryError(() => loopback.client.getManifest(pinned));
    expect([error.code, error.expected]).toEqual(['ERR_RKT_REGISTRY_DIGEST_MISMATCH', manifest.digest]);
  });

  it('may be larger than announced or than the limit, and are not read then (CVE-2020-1702)', async () => {
    await using loopback = await startLoopback();
    loopback.server.putManifest('x', new Uint8Array((4 << 20) + 1), { mediaType: MANIFEST, tag: 'latest' });
    expect((await registryError(() => loopback.client.getManifest(loopback.reference('x')))).code).toBe(
      'ERR_RKT_REGISTRY_LIMIT_EXCEEDED',
    );
    loopback.server.fail({
      action: {
        kind: 'respond',
        respond: (_request, response) => {
          response.writeHead(200, { 'content-type': MANIFEST });
          const write = (): void => {
            while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          };
          response.on('drain', write);
          write();
        },
      },
    });
    expect((await registryError(() => loopback.client.getManifest(loopback.reference('x')))).code).toBe(
      'ERR_RKT_REGISTRY_LIMIT_EXCEEDED',
    );
  });

  it('with a coding nobody asked for are refused, not decoded', async () => {
    await using loopback = await startLoopback();
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    loopback.server.fail({ action: { kind: 'headers', headers: { 'content-encoding': 'gzip, gzip, gzip' } } });
    expect((await registryError(() => loopback.open('x'))).code).toBe('ERR_RKT_REGISTRY_PROTOCOL');
  });

  it('by SHA-512 work as well', async () => {
    await using loopback = await startLoopback();
    const { createHash } = await import('node:crypto');
    await loopback.server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    const { bytes } = await loopback.client.getManifest(loopback.reference('x'));
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as const;
    const again = await loopback.client.getManifest(withDigest(loopback.reference('x'), digest));
    expect(again.descriptor.digest).toBe(digest);
  });

  it('are named in errors: unknown repository, unknown tag, overload, refusal', async () => {
    await using loopback = await startLoopback();
    const { server, client } = loopback;
    await server.putImage({ repository: 'x', tag: 'latest' }, testImage(10));
    const missing = await registryError(() => client.getManifest(loopback.reference('x:nope')));
    expect(missing).toMatchObject({ code: 'ERR_RKT_REGISTRY_NOT_FOUND', status: 404, origin: server.origin });
    expect(missing.message).toBe(`${server.domain}/x:nope not found at ${server.origin}: manifest unknown`);
    expect((await registryError(() => client.resolve(loopback.reference('nope')))).code).toBe(
      'ERR_RKT_REGISTRY_NOT_FOUND',
    );
    const denied = JSON.stringify({ errors: [{ code: 'DENIED', message: '\u001b]0;title\u0007 no\nentry' }] });
    server.fail({
      action: { kind: 'status', status: 403, body: denied, headers: { 'content-type': 'application/json' } },
    });
    const refused = await registryError(() => client.getManifest(loopback.reference('x')));
    expect(refused.code).toBe('ERR_RKT_REGISTRY_DENIED');
    expect(refused.message).not.toMatch(/[\u0000-\u001f]/);
    server.fail({ times: 9, action: { kind: 'status', status: 503 } });
    expect((await registryError(() => client.getManifest(loopback.reference('x')))).code).toBe(
      'ERR_RKT_REGISTRY_SERVER_ERROR',
    );
  });

  it('refuse references no parser made', async () => {
    await using client = createRegistry({ retry: FAST_RETRY });
    const made = { domain: '127.0.0.1:1', path: '../../etc', tag: 'x', digest: undefined };
    await expect(client.getManifest(made)).rejects.toThrow(TypeError);
    await expect(client.resolve({ ...made, path: 'a', tag: 'x/../y' })).rejects.toThrow(TypeError);
    await expect(client.getManifest({ ...made, path: 'a', tag: undefined })).rejects.toThrow(TypeError);
  });
});

describe('tags', () => {
  it('are listed over pages', async () => {
    await using loopback = await startLoopback();
    for (const tag of ['a', 'b', 'c']) loopback.server.putManifest('x', encode({}), { mediaType: MANIFEST, tag });
    const link = {
      kind: 'respond',
      respond: (_q: unknown, response: import('node:http').ServerResponse) => {
        response.writeHead(200, { link: '</v2/x/tags/list?n=1&last=a>; rel="next"' }).end('{"tags":["a"]}');
      },
    } as const;
    loopback.server.fail({ action: link });
    expect(await collect(loopback.client.listTags(loopback.reference('x')))).toEqual(['a', 'b', 'c']);
    expect(await collect(loopback.client.listTags(loopback.reference('x'), { after: 'b' }))).toEqual(['c']);
  });

  it('do not lead to another host', async () => {
    await using loopback = await startLoopback();
    await using other = await startLoopback();
    loopback.server.fail({
      action: {
        kind: 'status',
        status: 200,
        body: '{"tags":[]}',
        headers: { link: `<${other.server.origin}/v2/x/tags/list>; rel=next` },
      },
    });
    const error = await registryError(() => collect(loopback.client.listTags(loopback.reference('x'))));
    expect(error.code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
    expect(other.server.requests).toEqual([]);
  });
});

async function collect(tags: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const tag of tags) all.push(tag);
  return all;
}
