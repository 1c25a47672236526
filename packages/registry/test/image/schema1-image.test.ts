// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type DiffIdOf, type Image, imageSource, type OpenImageEvent, type OpenImageOptions } from '../../src/index.ts';
import type { FaultAction, TestSchema1Image } from '../../src/testing/index.ts';
import { AMD64, drain, type Loopback, sha256, startLoopback } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const SIGNED_TYPE = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const tars = [randomBytes(100_000), randomBytes(50)];
const [base, top] = tars.map((tar) => gzipSync(tar));
const repeated = gzipSync(Buffer.alloc(1024));
const image: TestSchema1Image = {
  steps: [{ content: base ?? Buffer.alloc(0), command: 'ADD' }, {}, { content: top ?? Buffer.alloc(0) }],
  config: { Cmd: ['nginx'] },
};
const name = { repository: 'zanui/nginx', tag: 'latest' };

const gunzipped: DiffIdOf = async (blob) => sha256(gunzipSync(await drain(blob)));

interface Opening extends OpenImageOptions {
  readonly reference?: string;
  readonly diffIdOf?: DiffIdOf;
}

function open(loopback: Loopback, { reference = 'zanui/nginx', diffIdOf = gunzipped, ...options }: Opening = {}) {
  const source = imageSource(loopback.client, { diffIdOf });
  return source.open(loopback.reference(reference), { platform: AMD64, ...options });
}

function requestsOf({ server }: Loopback): readonly string[] {
  return server.requests.map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`);
}

async function withImage(run: (loopback: Loopback) => Promise<void>, changes: Partial<TestSchema1Image> = {}) {
  await using loopback = await startLoopback();
  await loopback.server.putSchema1Image(name, { ...image, ...changes });
  await run(loopback);
}

describe('a schema 1 image', () => {
  it.each([
    ['signed', true],
    ['unsigned', false],
  ])('that is %s is opened as one of today', async (_name, signed) => {
    await using loopback = await startLoopback();
    const built = await loopback.server.putSchema1Image(name, { ...image, signed });
    const events: OpenImageEvent[] = [];
    const opened = await open(loopback, { onProgress: (event) => events.push(event) });
    expect(events[0]).toEqual({ type: 'image:schema1', reference: `${loopback.server.domain}/zanui/nginx:latest` });
    for (const { descriptor, diffId } of opened.layers) {
      const { digest, size } = descriptor;
      const told = events.filter((event) => 'digest' in event && event.digest === digest);
      expect(told[0]).toEqual({ type: 'measure:start', digest, size });
      expect(told.slice(-2)).toEqual([
        { type: 'measure:bytes', digest, size, received: size },
        { type: 'measure:done', digest, diffId },
      ]);
    }
    expect(opened.descriptor).toEqual({ mediaType: built.mediaType, ...built.manifest });
    expect(sha256(opened.manifestBytes)).toBe(built.manifest.digest);
    expect(opened.configDescriptor).toEqual({
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: sha256(opened.configBytes),
      size: opened.configBytes.length,
    });
    expect(opened.config).toMatchObject({ platform: AMD64, config: { cmd: ['nginx'] } });
    expect(opened.config.history).toHaveLength(3);
    expect(opened.layers.map(({ descriptor, diffId }) => [descriptor.digest, descriptor.size, diffId])).toEqual([
      [built.blobs[0]?.digest, built.blobs[0]?.size, sha256(tars[0] ?? Buffer.alloc(0))],
      [built.blobs[2]?.digest, built.blobs[2]?.size, sha256(tars[1] ?? Buffer.alloc(0))],
    ]);
    for (const [index, layer] of opened.layers.entries()) {
      expect(gunzipSync(await drain(await layer.open())).equals(tars[index] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('by digest is the same, and its signatures are no part of it', () =>
    withImage(async (loopback) => {
      const first = await open(loopback);
      // Signed again, by another key.
      const again = await loopback.server.putSchema1Image(name, image);
      expect(again.manifest.digest).toBe(first.descriptor.digest);
      const pinned = await open(loopback, { reference: `zanui/nginx@${again.manifest.digest}` });
      const parts = ({ descriptor, configBytes, manifestBytes, config }: Image) => [
        descriptor,
        Buffer.from(configBytes).toString(),
        Buffer.from(manifestBytes).toString(),
        config,
      ];
      expect(parts(pinned)).toEqual(parts(first));
    }));

  it('is asked for after everything newer, and each blob is measured once', () =>
    withImage(
      async (loopback) => {
        const opened = await open(loopback);
        expect(opened.layers.map(({ descriptor }) => descriptor.digest)).toEqual([
          sha256(base ?? Buffer.alloc(0)),
          sha256(repeated),
          sha256(repeated),
        ]);
        const [manifest, ...blobs] = requestsOf(loopback);
        expect(manifest).toBe('GET manifests/latest');
        expect(blobs.toSorted()).toEqual(
          [sha256(repeated), sha256(base ?? Buffer.alloc(0))]
            .flatMap((digest) => [`GET blobs/${digest}`, `HEAD blobs/${digest}`])
            .toSorted(),
        );
        const accept = loopback.server.requests[0]?.headers.accept?.split(', ') ?? [];
        expect(accept.findIndex((type) => type.includes('distribution.manifest.v1+'))).toBe(accept.length - 2);
      },
      { steps: [{ content: base ?? Buffer.alloc(0) }, { content: repeated }, { content: repeated }] },
    ));

  it('resolves to the digest of its payload, whose size HEAD does not know', () =>
    withImage(async (loopback) => {
      const described = await loopback.client.resolve(loopback.reference('zanui/nginx'));
      expect(described).toEqual((await loopback.client.getManifest(loopback.reference('zanui/nginx'))).descriptor);
      expect(requestsOf(loopback)).toEqual(['HEAD manifests/latest', 'GET manifests/latest', 'GET manifests/latest']);
    }));

  it('is refused for another platform before its blobs are asked for', () =>
    withImage(
      async (loopback) => {
        const error = await registryError(() => open(loopback));
        expect([error.code, error.platforms]).toEqual(['ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM', ['linux/arm64']]);
        expect(requestsOf(loopback)).toEqual(['GET manifests/latest']);
      },
      { architecture: 'arm64' },
    ));

  it('is refused for its configuration before its blobs are asked for', () =>
    withImage(
      async (loopback) => {
        expect((await registryError(() => open(loopback))).code).toBe('ERR_RKT_REGISTRY_CONFIG_INVALID');
        expect(requestsOf(loopback)).toEqual(['GET manifests/latest']);
      },
      { config: { Env: 'A=b', Labels: [] } },
    ));

  it('cannot be read by who does not inflate', () =>
    withImage(async (loopback) => {
      const error = await registryError(() => loopback.open('zanui/nginx'));
      expect(error.code).toBe('ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE');
      expect(error.message).toMatch(/schema 1 image, which cannot be read from here/);
    }));

  it('is not chosen from an index', async () => {
    await using loopback = await startLoopback();
    const built = await loopback.server.putSchema1Image({ repository: 'x' }, image);
    const mediaType = 'application/vnd.docker.distribution.manifest.list.v2+json';
    const manifests = [{ mediaType: SIGNED_TYPE, ...built.manifest, platform: AMD64 }];
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    loopback.server.putManifest('x', index, { mediaType, tag: 'latest' });
    const error = await registryError(() => open(loopback, { reference: 'x' }));
    expect(error.code).toBe('ERR_RKT_REGISTRY_NO_MATCHING_PLATFORM');
  });
});

describe('a signed document', () => {
  async function serve(loopback: Loopback, bytes: Uint8Array, mediaType = SIGNED_TYPE): Promise<void> {
    loopback.server.putManifest('x', bytes, { mediaType, tag: 'latest' });
  }

  /** Of schema 1 with its signature, and something else without. */
  function twoFaced(payloadTail: string): Uint8Array {
    const base64url = (text: string): string => Buffer.from(text).toString('base64url');
    const head = '{"name":"x"';
    const format = base64url(JSON.stringify({ formatLength: head.length, formatTail: base64url(payloadTail) }));
    return Buffer.from(`${head},"schemaVersion":1,"signatures":[{"protected":"${format}"}]}`);
  }

  it.each([
    ['an image of today', ',"schemaVersion":2,"config":{},"layers":[]}', /schemaVersion is not 1/],
    ['both', ',"schemaVersion":1,"fsLayers":[],"history":[],"layers":[]}', /at once/],
    ['signed again', ',"schemaVersion":1,"fsLayers":[],"history":[],"signatures":[]}', /signatures itself/],
    ['no document', ',', /no JSON document/],
    ['of the same members, but empty', ',"schemaVersion":1,"fsLayers":[],"history":[]}', /no fsLayers/],
  ])('whose payload is %s is refused by what the payload says', async (_name, tail, text) => {
    await using loopback = await startLoopback();
    await serve(loopback, twoFaced(tail));
    const error = await registryError(() => open(loopback, { reference: 'x' }));
    expect([error.code, error.message]).toEqual(['ERR_RKT_REGISTRY_MANIFEST_INVALID', expect.stringMatching(text)]);
    expect(requestsOf(loopback)).toEqual(['GET manifests/latest']);
  });

  it('is nothing else under another type, and nothing when it is cut', async () => {
    await using loopback = await startLoopback();
    await loopback.server.putSchema1Image({ repository: 'x', tag: 'latest' }, image);
    const document = await fetch(`${loopback.server.origin}/v2/x/manifests/latest`);
    const bytes = new Uint8Array(await document.arrayBuffer());
    for (const type of ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json']) {
      await serve(loopback, bytes, type);
      const error = await registryError(() => open(loopback, { reference: 'x' }));
      expect([error.code, error.message]).toEqual([
        'ERR_RKT_REGISTRY_MANIFEST_INVALID',
        expect.stringMatching(/schemaVersion is not 2/),
      ]);
    }
    await serve(loopback, bytes, 'application/json');
    expect((await open(loopback, { reference: 'x' })).layers).toHaveLength(2);
    await serve(loopback, bytes.subarray(0, -100));
    expect((await registryError(() => open(loopback, { reference: 'x' }))).code).toBe(
      'ERR_RKT_REGISTRY_MANIFEST_INVALID',
    );
  });
});

describe('the blobs of a schema 1 image', () => {
  const faults: readonly (readonly [string, string, FaultAction, string])[] = [
    ['are another', 'GET', { kind: 'corrupt', offset: 9 }, 'ERR_RKT_REGISTRY_DIGEST_MISMATCH'],
    ['are missing', 'HEAD', { kind: 'status', status: 404 }, 'ERR_RKT_REGISTRY_NOT_FOUND'],
    ['are gone after they were measured', 'GET', { kind: 'status', status: 404 }, 'ERR_RKT_REGISTRY_NOT_FOUND'],
    ['are cut', 'GET', { kind: 'truncate', afterBytes: 10 }, 'ERR_RKT_REGISTRY_TRUNCATED'],
    [
      'are larger than stated',
      'HEAD',
      { kind: 'headers', headers: { 'content-length': '7' } },
      'ERR_RKT_REGISTRY_SIZE_MISMATCH',
    ],
  ];
  it.each(faults)('that %s fail it', (_name, method, action, code) =>
    withImage(async (loopback) => {
      loopback.server.fail({ method, path: '/blobs/', times: 99, action });
      expect((await registryError(() => open(loopback))).code).toBe(code);
    }),
  );

  it('that were wrong once are read again', () =>
    withImage(async (loopback) => {
      loopback.server.fail({ method: 'GET', path: '/blobs/', action: { kind: 'corrupt', offset: 9 } });
      expect((await open(loopback)).layers).toHaveLength(2);
    }));

  it('end the others when one fails, and with the signal', () =>
    withImage(
      async (loopback) => {
        const reason = new Error('not now');
        let opened = 0;
        const failing: DiffIdOf = async (blob, { signal } = {}) => {
          opened += 1;
          if (opened === 2) throw reason;
          await new Promise((resolve) => signal?.addEventListener('abort', resolve));
          await drain(blob);
          throw new Error('read on');
        };
        await expect(open(loopback, { diffIdOf: failing })).rejects.toBe(reason);
        const controller = new AbortController();
        const waiting: DiffIdOf = async (_blob, { signal } = {}) => {
          controller.abort(reason);
          signal?.throwIfAborted();
          throw new Error('read on');
        };
        await expect(open(loopback, { diffIdOf: waiting, signal: controller.signal })).rejects.toBe(reason);
      },
      { steps: Array.from({ length: 6 }, (_, n) => ({ content: gzipSync(`layer ${n}`) })) },
    ));
});
