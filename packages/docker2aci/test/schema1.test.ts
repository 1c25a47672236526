// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import { parseReference, type Reference } from '@rkt/refparse';
import { createRegistry, imageSource, type Registry } from '@rkt/registry';
import { startTestRegistry, type TestRegistry, type TestSchema1Image } from '@rkt/registry/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConvertedImage, convertImage, diffIdOf, directoryRepository, isConversionError } from '../src/index.ts';
import { sha256, tarOf } from './sample-image.ts';
import { temporaryDirectory } from './temporary.ts';

const platform = { os: 'linux', architecture: 'amd64' };
let server: TestRegistry;
let registry: Registry;
let tars: readonly Buffer[];
let old: TestSchema1Image;
beforeAll(async () => {
  server = await startTestRegistry();
  registry = createRegistry({ retry: { attempts: 1 } });
  tars = [await tarOf({ 'etc/': '', 'etc/hostname': 'base\n' }), await tarOf({ 'etc/hostname': 'top\n' })];
  const [base, top] = tars.map((tar) => gzipSync(tar));
  if (base === undefined || top === undefined) throw new Error('two layers were made');
  const config = { Entrypoint: ['/bin/app'], ExposedPorts: { '80/tcp': {} }, User: 'www' };
  old = { steps: [{ content: base, command: 'ADD' }, {}, { content: top }], config };
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await server.close();
});

function reference(text: string): Reference {
  return parseReference(`${server.domain}/${text}`);
}

async function convert(text: string): Promise<ConvertedImage> {
  const image = await imageSource(registry, { diffIdOf }).open(reference(text), { platform });
  return convertImage(image, { repository: directoryRepository(await temporaryDirectory()) });
}

test('an image of schema 1 becomes an ACI, whoever signed it and whatever it is asked for by', async () => {
  const { manifest } = await server.putSchema1Image({ repository: 'old', tag: 'latest' }, old);
  const converted = await convert('old');
  expect(converted.layers.map(({ diffId }) => diffId)).toEqual(tars.map(sha256));
  expect(converted.manifest.app).toMatchObject({ exec: ['/bin/app'], user: 'www', ports: [{ port: 80 }] });
  expect(converted.manifest.annotations).toContainEqual({
    name: 'appc.io/docker/manifesthash',
    value: manifest.digest,
  });
  // Signed again, by another key.
  await server.putSchema1Image({ repository: 'old', tag: 'latest' }, old);
  expect((await convert('old')).id).toBe(converted.id);
  expect((await convert(`old@${manifest.digest}`)).id).toBe(converted.id);
});

test('its tree is that of the same layers with a manifest of today', async () => {
  await server.putSchema1Image({ repository: 'both', tag: 'old' }, old);
  const layers = old.steps.flatMap(({ content }, index) => {
    const tar = tars[index === 0 ? 0 : 1] ?? Buffer.alloc(0);
    return content === undefined ? [] : [{ content, diffId: sha256(tar) }];
  });
  await server.putImage({ repository: 'both', tag: 'new' }, { layers, format: 'docker', config: old.config ?? {} });
  const [before, after] = [await convert('both:old'), await convert('both:new')];
  expect(before.layers).toEqual(after.layers);
  expect(before.manifest.app).toEqual(after.manifest.app);
});

test('a bomb in it is refused while it is looked through', async () => {
  await server.putSchema1Image(
    { repository: 'bomb', tag: 'latest' },
    { steps: [{ content: gzipSync(Buffer.alloc(80 << 20)) }] },
  );
  const error = await convert('bomb').catch((reason: unknown) => reason);
  expect(isConversionError(error) && error.code).toBe('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED');
});
