// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { parseReference } from '@rkt/refparse';
import { describe, expect, it } from 'vitest';
import { createRegistry, type Descriptor, type Image, imageSource, type Transport } from '../../src/index.ts';
import { AMD64, drain, FAST_RETRY, type Loopback, putBytes, sha256, startLoopback } from '../loopback.ts';
import { registryError } from '../registry-error.ts';

const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIG = 'application/vnd.docker.container.image.v1+json';
const SECRET = 'do-not-leak';
const login = { kind: 'basic', username: 'me', password: SECRET } as const;
const auth = { kind: 'basic', username: 'me', password: SECRET } as const;
const keychain = { resolve: () => Promise.resolve(login) };
const bytes = new Uint8Array(randomBytes(100_000));
const foreign = (urls: readonly string[], size = bytes.length): Descriptor => {
  return { mediaType: FOREIGN, digest: sha256(bytes), size, urls };
};

/** An image whose one layer is kept elsewhere, opened. */
async function openForeignImage(
  { server, client }: Loopback,
  layer: Descriptor,
  options: { readonly allowForeign?: boolean } = { allowForeign: true },
): Promise<Image> {
  const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [layer.digest] } };
  const placed = await server.putBlob('r', new TextEncoder().encode(JSON.stringify(config)));
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: CONFIG, ...placed }, layers: [layer] };
  const encoded = new TextEncoder().encode(JSON.stringify(manifest));
  server.putManifest('r', encoded, { mediaType: MANIFEST, tag: 'latest' });
  return imageSource(client).open(parseReference(`${server.domain}/r`), { platform: AMD64, ...options });
}

async function readLayer(image: Image): Promise<Uint8Array> {
  const [layer] = image.layers;
  if (layer === undefined) throw new Error('the image has no layer');
  return drain(await layer.open());
}

/** A server that has the layer, and where it has it. */
async function startElsewhere(content = bytes): Promise<Loopback & { readonly url: string }> {
  const elsewhere = await startLoopback();
  const { digest } = await putBytes(elsewhere.server, 'layers', content);
  return Object.assign(elsewhere, { url: `${elsewhere.server.origin}/v2/layers/blobs/${digest}?sig=1` });
}

describe('a foreign layer', () => {
  it('is read from its address where that is allowed and the registry has none', async () => {
    await using loopback = await startLoopback();
    await using elsewhere = await startElsewhere();
    const image = await openForeignImage(loopback, foreign([elsewhere.url]));
    expect(elsewhere.server.requests).toEqual([]);
    expect(Buffer.compare(await readLayer(image), bytes)).toBe(0);
    expect(elsewhere.server.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('is refused by name where that is not allowed, and nobody is asked', async () => {
    await using loopback = await startLoopback();
    await using elsewhere = await startElsewhere();
    for (const options of [{}, { allowForeign: false }]) {
      const image = await openForeignImage(loopback, foreign([elsewhere.url]), options);
      const error = await registryError(() => readLayer(image));
      expect(error.code).toBe('ERR_RKT_REGISTRY_FOREIGN_LAYER');
      expect(error.message).toContain(`kept at ${elsewhere.server.domain}, and asking there was not allowed`);
      expect(error.message).not.toContain('sig=1');
    }
    expect(elsewhere.server.requests).toEqual([]);
  });

  it.each([true, false])('is taken from the registry if that has it (allowed: %s)', async (allowForeign) => {
    await using loopback = await startLoopback();
    await using elsewhere = await startElsewhere();
    await putBytes(loopback.server, 'r', bytes);
    const image = await openForeignImage(loopback, foreign([elsewhere.url]), { allowForeign });
    expect(Buffer.compare(await readLayer(image), bytes)).toBe(0);
    expect(elsewhere.server.requests).toEqual([]);
  });

  it('is not looked for elsewhere because the registry is out of order', async () => {
    await using loopback = await startLoopback();
    await using elsewhere = await startElsewhere();
    const image = await openForeignImage(loopback, foreign([elsewhere.url]));
    loopback.server.fail({ path: '/blobs/', times: 99, action: { kind: 'status', status: 403 } });
    expect((await registryError(() => readLayer(image))).code).toBe('ERR_RKT_REGISTRY_DENIED');
    expect(elsewhere.server.requests).toEqual([]);
  });

  it('is resumed where it was cut, and read from the next address if the first fails', async () => {
    await using loopback = await startLoopback();
    await using broken = await startLoopback();
    await using elsewhere = await startElsewhere();
    elsewhere.server.fail({ path: '/blobs/', action: { kind: 'truncate', afterBytes: 40_000 } });
    const image = await openForeignImage(loopback, foreign([`${broken.server.origin}/gone`, elsewhere.url]));
    expect(Buffer.compare(await readLayer(image), bytes)).toBe(0);
    expect(broken.server.requests.length).toBeGreaterThan(0);
    expect(elsewhere.server.requests.at(-1)?.headers.range).toMatch(/^bytes=\d+-$/);
  });

  it('of other bytes or another size is refused', async () => {
    await using loopback = await startLoopback();
    await using wrong = await startElsewhere(new Uint8Array(randomBytes(bytes.length)));
    const other = await openForeignImage(loopback, foreign([wrong.url]));
    expect((await registryError(() => readLayer(other))).code).toBe('ERR_RKT_REGISTRY_DIGEST_MISMATCH');
    await using elsewhere = await startElsewhere();
    for (const size of [bytes.length - 1, bytes.length + 1]) {
      const image = await openForeignImage(loopback, foreign([elsewhere.url], size));
      expect((await registryError(() => readLayer(image))).code).toBe('ERR_RKT_REGISTRY_SIZE_MISMATCH');
    }
  });
});

describe('the address of a foreign layer', () => {
  it('gets no credentials, also if it asks for them or is on the registry itself', async () => {
    await using loopback = await startLoopback({ auth }, { keychain });
    await using thief = await startLoopback({ auth });
    const onRegistry = `${loopback.server.origin}/v2/other/blobs/${sha256(bytes)}`;
    await putBytes(loopback.server, 'other', bytes);
    const image = await openForeignImage(loopback, foreign([`${thief.server.origin}/layer`, onRegistry]));
    const error = await registryError(() => readLayer(image));
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNAUTHORIZED');
    expect(thief.server.requests).toHaveLength(1);
    const seen = [...thief.server.requests, ...loopback.server.requests.filter(({ path }) => path.includes('/other/'))];
    expect(seen.length).toBe(2);
    for (const { headers } of seen) expect(headers.authorization).toBeUndefined();
    expect(JSON.stringify(thief.server.requests)).not.toContain(SECRET);
  });

  it('may redirect, and the target gets no credentials either', async () => {
    await using loopback = await startLoopback({ auth }, { keychain });
    await using front = await startLoopback();
    await using elsewhere = await startElsewhere();
    front.server.fail({ action: { kind: 'redirect', location: elsewhere.url } });
    const image = await openForeignImage(loopback, foreign([`${front.server.origin}/layer`]));
    expect(Buffer.compare(await readLayer(image), bytes)).toBe(0);
    for (const { headers } of [...front.server.requests, ...elsewhere.server.requests]) {
      expect(headers.authorization).toBeUndefined();
    }
  });

  it.each([
    ['file:///etc/shadow', 'scheme file:'],
    ['ftp://mirror.example/layer', 'scheme ftp:'],
    ['data:text/plain,hello', 'scheme data:'],
    ['no url at all', 'it is no URL'],
    [`https://me:${SECRET}@elsewhere.example/layer`, 'the target URL contains credentials'],
    ['http://elsewhere.example/layer?token=x', 'it leads from https to http'],
    ['https://127.0.0.1/layer', 'it leads to the local address 127.0.0.1'],
    ['https://[::ffff:169.254.169.254]/latest/meta-data', 'it leads to the local address'],
    ['http://localhost:2375/containers/json', 'it leads from https to http'],
  ])('%j of an image of a public registry is refused unasked', async (url, reason) => {
    const { asked, error } = await askPublic([url]);
    expect(error.code).toBe('ERR_RKT_REGISTRY_REDIRECT_REFUSED');
    expect(error.message).toContain(reason);
    expect(error.message).not.toMatch(/do-not-leak|token=x/);
    expect(asked.map(({ host }) => host)).toEqual(['registry.example']);
  });

  it('is one of eight at most: each may take as long as a time-out', async () => {
    const { asked } = await askPublic(Array.from({ length: 64 }, (_, at) => `https://slow${at}.example/layer`));
    expect(asked.slice(1).map(({ host }) => host)).toEqual(Array.from({ length: 8 }, (_, at) => `slow${at}.example`));
  });

  it('is asked without a certificate of this client, and its own is always verified', async () => {
    const { asked } = await askPublic(['https://elsewhere.example/layer'], 'skip-tls-verify');
    expect(asked).toEqual([
      { host: 'registry.example', anonymous: undefined, verifyTls: false },
      { host: 'elsewhere.example', anonymous: true, verifyTls: true },
    ]);
  });
});

/** Asks a registry that has nothing for a foreign blob; says whom that led to. */
async function askPublic(urls: readonly string[], insecure?: 'skip-tls-verify') {
  const asked: { host: string; anonymous: true | undefined; verifyTls: boolean }[] = [];
  const transport: Transport = ({ url, anonymous, verifyTls }) => {
    asked.push({ host: url.host, anonymous, verifyTls });
    const body = { cancel: () => undefined, async *[Symbol.asyncIterator]() {} };
    return Promise.resolve({ status: 404, headers: {}, body });
  };
  const origin = 'https://registry.example';
  const hosts = () => [insecure === undefined ? { origin } : { origin, insecure }];
  const registry = createRegistry({ transport, retry: FAST_RETRY, hosts });
  const repository = { domain: 'registry.example', path: 'r' };
  const error = await registryError(() => registry.getBlob(repository, foreign(urls), { allowForeign: true }));
  return { asked, error };
}
