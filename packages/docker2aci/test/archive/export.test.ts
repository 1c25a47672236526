// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createReadStream, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LayerRepository } from '@rkt/appc';
import { parseReference, withDigest } from '@rkt/refparse';
import type { Image } from '@rkt/registry';
import { describe, expect, test } from 'vitest';
import {
  type ArchiveFile,
  convertImage,
  directoryRepository,
  dockerArchiveFiles,
  type ExportedImage,
  imageOrigin,
  ociLayoutFiles,
  openDockerArchive,
  openOciLayout,
  tarOf as tarOfFiles,
} from '../../src/index.ts';
import { sampleImage, sha256, tarOf } from '../sample-image.ts';
import { temporaryDirectory } from '../temporary.ts';

const platform = { os: 'linux', architecture: 'amd64' };

interface Converted {
  readonly id: string;
  readonly exported: ExportedImage;
  readonly tars: readonly Uint8Array[];
}

/** An image of a registry, with a layer that it has twice, and the same image as it would be exported. */
async function converted(): Promise<Converted> {
  const tars = [await tarOf({ 'bin/': '', 'bin/sh': 'x'.repeat(70_000) }), await tarOf({ 'etc/motd': 'welcome' })];
  const layers = [tars[0], tars[1], tars[0]].map((tar) => ({ tar: tar ?? Buffer.alloc(0) }));
  const configBytes = Buffer.from(
    JSON.stringify({
      ...platform,
      config: { Cmd: ['sh'], Labels: { a: 'b' } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => sha256(tar)) },
    }),
  );
  const image: Image = {
    ...sampleImage(layers, { cmd: ['sh'], labels: { a: 'b' } }),
    reference: parseReference('registry.test:5000/team/app:7'),
    configBytes,
    configDescriptor: { mediaType: 'c', digest: sha256(configBytes), size: configBytes.length },
  };
  const repository = directoryRepository(await temporaryDirectory());
  const { id, manifest } = await convertImage(image, { repository });
  const paths = await Promise.all(layers.map(({ tar }) => stored(repository, sha256(tar))));
  const exportedLayers = layers.map(({ tar }, at) => ({
    diffId: sha256(tar),
    size: tar.length,
    read: () => createReadStream(paths[at] ?? ''),
  }));
  return { id, exported: { configBytes, layers: exportedLayers, origin: imageOrigin(manifest) }, tars };
}

async function stored(repository: LayerRepository, diffId: string): Promise<string> {
  const layer = await repository.prepareLayer(diffId);
  if (layer.state !== 'present') throw new Error(`layer ${diffId} is not there`);
  return layer.path;
}

async function idOf(image: Image): Promise<string> {
  return (await convertImage(image, { repository: directoryRepository(await temporaryDirectory()) })).id;
}

async function bytesOf(files: readonly ArchiveFile[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of tarOfFiles(files)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function writeLayout(files: readonly ArchiveFile[]): Promise<string> {
  const directory = await temporaryDirectory();
  for (const { name, content } of files) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content instanceof Uint8Array ? content : content.read({}));
  }
  return directory;
}

describe('an exported image', () => {
  test('gets the ID it had when it is read from an OCI layout, whatever that is called', async () => {
    const { id, exported } = await converted();
    const source = await openOciLayout(await writeLayout(ociLayoutFiles(exported, { name: 'seven' })));
    const image = await source.open(parseReference('localhost/somewhere:seven'), { platform });
    expect(await idOf(image)).toBe(id);
    const pinned = withDigest(parseReference('localhost/somewhere'), image.descriptor.digest);
    expect(await idOf(await source.open(pinned, { platform }))).toBe(id);
  });

  test('gets the ID it had when it is read from a docker archive', async () => {
    const { id, exported } = await converted();
    const file = join(await temporaryDirectory(), 'app.tar');
    const reference = parseReference('registry.test:5000/team/app:8');
    writeFileSync(file, await bytesOf(dockerArchiveFiles(exported, { references: [reference] })));
    const source = await openDockerArchive(file);
    for (const name of [reference, parseReference('localhost/app')]) {
      expect(await idOf(await source.open(name, { platform }))).toBe(id);
    }
  });

  test('is called what it was asked for by, whatever it says of its origin', async () => {
    const { exported } = await converted();
    const layout = await openOciLayout(await writeLayout(ociLayoutFiles(exported, { name: 'seven' })));
    const file = join(await temporaryDirectory(), 'app.tar');
    writeFileSync(file, await bytesOf(dockerArchiveFiles(exported)));
    const asked = parseReference('localhost/mine:latest');
    for (const source of [layout, await openDockerArchive(file)]) {
      const { reference, descriptor } = await source.open(asked, { platform });
      expect(reference).toEqual(asked);
      if (source !== layout) continue;
      // A digest means the very manifest: one that is only claimed must not stand in its place.
      const pinned = withDigest(asked, descriptor.digest);
      expect((await source.open(pinned, { platform })).reference).toEqual(pinned);
    }
  });

  test('is another image under another name', async () => {
    const { id, exported } = await converted();
    const files = ociLayoutFiles({ ...exported, origin: undefined });
    const source = await openOciLayout(await writeLayout(files));
    expect(await idOf(await source.open(parseReference('localhost/somewhere'), { platform }))).not.toBe(id);
  });

  test('is the same bytes every time, and a tar that tar reads, with every layer once', async () => {
    const { exported, tars } = await converted();
    const bytes = await bytesOf(ociLayoutFiles(exported));
    expect(await bytesOf(ociLayoutFiles(exported))).toEqual(bytes);
    const file = join(await temporaryDirectory(), 'app.tar');
    writeFileSync(file, bytes);
    const listed = execFileSync('tar', ['-tvf', file], { encoding: 'utf8', env: { TZ: 'UTC', LC_ALL: 'C' } });
    expect(listed.match(/^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00 \S+$/gm)).toHaveLength(4 + tars.length);
    const blob = `blobs/sha256/${sha256(tars[0] ?? Buffer.alloc(0)).slice('sha256:'.length)}`;
    expect(execFileSync('tar', ['-xOf', file, blob])).toEqual(tars[0]);
  });

  test('with a layer that is not as long as it was is not exported', async () => {
    const { exported } = await converted();
    const [layer] = exported.layers;
    if (layer === undefined) throw new Error('no layer');
    for (const size of [layer.size - 1, layer.size + 1]) {
      const files = ociLayoutFiles({ ...exported, layers: [{ ...layer, size }] });
      await expect(bytesOf(files)).rejects.toMatchObject({ code: 'ERR_RKT_DOCKER2ACI_IO' });
    }
  });
});

test('an export ends where reading a layer fails', async () => {
  const { exported } = await converted();
  const [layer] = exported.layers;
  if (layer === undefined) throw new Error('no layer');
  const damaged = new Error('damaged');
  const read = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(layer.size - 1);
    throw damaged;
  };
  for (const files of [ociLayoutFiles, dockerArchiveFiles]) {
    await expect(bytesOf(files({ ...exported, layers: [{ ...layer, read }] }))).rejects.toBe(damaged);
  }
});

describe('what an archive says of its origin', () => {
  test.each([
    ['no repository', { 'io.appc.origin.repository': '../x' }],
    ['a tag', { 'io.appc.origin.repository': 'docker.io/library/redis:7' }],
    ['no digest', { 'io.appc.origin.manifest': 'sha256:7' }],
    ['no text', { 'io.appc.origin.repository': ['docker.io/library/redis'] }],
  ])('is passed over when it is %s', async (_name, annotations) => {
    const { exported } = await converted();
    const files = dockerArchiveFiles(exported).map((file) => {
      if (file.name !== 'manifest.json' || !(file.content instanceof Uint8Array)) return file;
      const [entry] = JSON.parse(Buffer.from(file.content).toString());
      const content = Buffer.from(
        JSON.stringify([{ ...entry, annotations: { ...entry.annotations, ...annotations } }]),
      );
      return { ...file, content, size: content.length };
    });
    const file = join(await temporaryDirectory(), 'app.tar');
    writeFileSync(file, await bytesOf(files));
    const image = await (await openDockerArchive(file)).open(parseReference('localhost/app'), { platform });
    expect(image.reference.domain).toBe('localhost');
    expect(image).not.toHaveProperty('origin');
  });
});
