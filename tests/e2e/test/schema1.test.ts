// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry } from '@rkt/registry';
import { type BuiltSchema1Image, startTestRegistry, type TestRegistry } from '@rkt/registry/testing';
import { composeImage } from '@rkt/tooling-images';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { comparedHost } from '../src/compared-host.ts';
import { type ConfiguredRegistry, startConfiguredRegistry } from '../src/configured-registry.ts';
import { imageCache } from '../src/image-cache.ts';
import { schema1Image } from '../src/schema1-image.ts';

const insecure = '--insecure-options=image';
const warning = /^fetch: warning: "[^"]*" is a Docker schema 1 image/gm;
let layout: string;
let registry: TestRegistry;
const host = comparedHost();

beforeAll(async () => {
  registry = await startTestRegistry();
  layout = await composeImage('redis', imageCache);
});
afterAll(() => registry.close());

async function fetched(image: string): Promise<string> {
  const { status, stdout, stderr } = await host.rkt([insecure, 'fetch', '--full', `docker://${image}`]);
  expect({ status, warnings: stderr.match(warning)?.length, stderr }).toEqual({ status: 0, warnings: 1, stderr });
  return stdout.trim();
}

async function expectRedis(id: string): Promise<void> {
  const run = await host.rkt(['run', '--net=none', id, '--exec', '/usr/bin/redis-server', '--', '--version']);
  expect(run).toMatchObject({ status: 0 });
  expect(run.stdout).toMatch(/^Redis server v=\d/);
}

it.each([
  ['signed', true],
  ['unsigned', false],
])('an image of schema 1 that is %s is fetched and run, and always has the same ID', async (name, signed) => {
  const image = { ...schema1Image(layout), signed };
  const { manifest } = await registry.putSchema1Image({ repository: name, tag: 'latest' }, image);
  const id = await fetched(`${registry.domain}/${name}`);
  await expectRedis(id);
  await host.rkt(['image', 'rm', id]);
  await registry.putSchema1Image({ repository: name, tag: 'latest' }, image);
  expect(await fetched(`${registry.domain}/${name}@${manifest.digest}`)).toBe(id);
});

it('Debian’s docker-registry accepts such an image as signed, and rkt runs it from there', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rkt-e2e-schema1-'));
  try {
    await using debian = await startConfiguredRegistry({
      dir,
      sections: { compatibility: { schema1: { enabled: true } } },
    });
    const built = await registry.putSchema1Image({ repository: 'zanui/redis', tag: '2015' }, schema1Image(layout));
    await copy(built, debian);
    const id = await fetched(`${debian.host}/zanui/redis:2015`);
    expect(await fetched(`${debian.host}/zanui/redis@${built.manifest.digest}`)).toBe(id);
    await expectRedis(id);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

/** Blobs first, then the document with its signature, which the registry verifies. */
async function copy(built: BuiltSchema1Image, to: ConfiguredRegistry): Promise<void> {
  await using client = createRegistry();
  const name = { path: 'zanui/redis', tag: '2015', digest: undefined };
  for (const blob of built.blobs) {
    const target = { mediaType: 'application/octet-stream', ...blob };
    const source = await client.getBlob({ domain: registry.domain, ...name }, target);
    await client.putBlob({ domain: to.host, ...name }, target, { open: () => source });
    await source[Symbol.asyncDispose]();
  }
  const document = await fetch(`${registry.origin}/v2/zanui/redis/manifests/2015`);
  const bytes = new Uint8Array(await document.arrayBuffer());
  await client.putManifest({ domain: to.host, ...name }, { bytes, mediaType: built.mediaType });
}
