// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseReference } from '@rkt/refparse';
import { describe, expect, test } from 'vitest';
import { convertImage, directoryRepository, openDockerArchive } from '../../src/index.ts';
import { sha256, tarOf, tarOfLinks } from '../sample-image.ts';
import { temporaryDirectory } from '../temporary.ts';

const reference = parseReference('app:1');
const platform = { os: 'linux', architecture: 'amd64' };

interface Saved {
  readonly layers?: readonly string[];
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly links?: Readonly<Record<string, string>>;
}

async function save({ layers = ['one/layer.tar'], files = {}, links = {} }: Saved = {}): Promise<string> {
  const layer = await tarOf({ 'etc/': '', 'etc/hostname': 'x' });
  const rootfs = { type: 'layers', diff_ids: layers.map(() => sha256(layer)) };
  const members = {
    'manifest.json': JSON.stringify([{ Config: 'config.json', RepoTags: ['app:1'], Layers: layers }]),
    'config.json': JSON.stringify({ ...platform, config: { Cmd: ['sh'] }, rootfs }),
    'one/layer.tar': layer,
    ...files,
  };
  const path = join(await temporaryDirectory(), 'saved.tar');
  await writeFile(path, await tarOfLinks(members, links));
  return path;
}

describe('a docker archive', () => {
  test.each([
    ['plain', ['one/layer.tar'], {}],
    ['with a linked layer', ['two/layer.tar'], { 'two/layer.tar': '../one/layer.tar' }],
    ['with the same layer twice', ['one/layer.tar', 'two/layer.tar'], { 'two/layer.tar': '/one/layer.tar' }],
  ])('%s holds images that can be converted', async (_name, layers, links) => {
    const source = await openDockerArchive(await save({ layers, links }));
    const image = await source.open(reference, { platform });
    const repository = directoryRepository(await temporaryDirectory());
    const converted = await convertImage(image, { repository });
    expect(converted.manifest.app?.exec).toEqual(['sh']);
    expect(converted.layers).toHaveLength(layers.length);
    expect(converted.layers.every(({ size }) => size > 0)).toBe(true);
  });

  test('whose layers are gzipped under names of their own, as crane and ko write them, can be converted', async () => {
    const packed = gzipSync(await tarOf({ 'etc/': '', 'etc/hostname': 'x' }));
    const path = await save({ layers: ['aaaa.tar.gz'], files: { 'aaaa.tar.gz': packed } });
    const image = await (await openDockerArchive(path)).open(reference, { platform });
    expect(image.layers[0]?.descriptor.digest).toBe(sha256(packed));
    const converted = await convertImage(image, { repository: directoryRepository(await temporaryDirectory()) });
    expect(converted.layers.map(({ diffId }) => diffId)).toEqual(image.config.diffIds);
  });

  test('of a single image answers to latest, and to no other name', async () => {
    const source = await openDockerArchive(await save());
    await expect(source.open(parseReference('x'), { platform })).resolves.toBeDefined();
    await expect(source.open(parseReference('x:2'), { platform })).rejects.toMatchObject({
      code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND',
    });
  });

  test('for another platform than the one wanted is refused', async () => {
    const source = await openDockerArchive(await save());
    const arm = { os: 'linux', architecture: 'arm64' };
    await expect(source.open(reference, { platform: arm })).rejects.toMatchObject({
      code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND',
      message: expect.stringContaining('expected "linux/arm64'),
    });
  });

  test('whose links lead in a circle or nowhere is refused', async () => {
    const links = { a: 'b', b: 'a' };
    for (const layer of ['a', '../../../etc/passwd', 'missing']) {
      const source = await openDockerArchive(await save({ layers: [layer], links }));
      await expect(source.open(reference, { platform })).rejects.toMatchObject({
        code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID',
      });
    }
  });

  test('with another layer than its configuration says is refused', async () => {
    const source = await openDockerArchive(await save({ files: { 'one/layer.tar': await tarOf({ evil: 'x' }) } }));
    const image = await source.open(reference, { platform });
    const repository = directoryRepository(await temporaryDirectory());
    await expect(convertImage(image, { repository })).rejects.toMatchObject({
      code: expect.stringMatching(/BLOB_CORRUPT|DIFF_ID_MISMATCH/),
    });
  });

  test.each(['{}', 'no JSON', '[{"Config":1}]', '[{"Config":"c","Layers":[1]}]'])(
    'with the manifest %s is refused',
    async (manifest) => {
      const path = await save({ files: { 'manifest.json': manifest } });
      await expect(openDockerArchive(path)).rejects.toMatchObject({ code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID' });
    },
  );

  test('that is no archive, or is not there, is an error', async () => {
    const path = join(await temporaryDirectory(), 'file');
    await expect(openDockerArchive(path)).rejects.toMatchObject({ code: 'ERR_RKT_DOCKER2ACI_IO' });
    await writeFile(path, Buffer.alloc(2000, 'x'));
    await expect(openDockerArchive(path)).rejects.toMatchObject({ code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID' });
  });
});

describe('an archive of Docker before 1.10', () => {
  const [base, top] = ['a', 'b'].map((digit) => digit.repeat(64));
  const tars = Promise.all([tarOf({ 'etc/': '', 'etc/hostname': 'x' }), tarOf({ 'bin/app': 'app' })]);

  async function legacy(changes: Readonly<Record<string, string>> = {}): Promise<string> {
    const [lower, upper] = await tars;
    const path = join(await temporaryDirectory(), 'legacy.tar');
    const members = {
      repositories: JSON.stringify({ app: { '1': top, '2': base } }),
      [`${base}/json`]: JSON.stringify({ id: base, ...platform }),
      [`${base}/layer.tar`]: lower,
      [`${top}/json`]: JSON.stringify({ id: top, parent: base, ...platform, config: { Cmd: ['app'] } }),
      [`${top}/layer.tar`]: upper,
      ...changes,
    };
    await writeFile(path, await tarOf(members));
    return path;
  }

  test('holds images that can be converted, by their names', async () => {
    const archive = await openDockerArchive(await legacy());
    expect(archive.images).toEqual([{ names: ['app:1'] }, { names: ['app:2'] }]);
    const image = await archive.open(reference, { platform });
    expect(image.config.diffIds).toEqual((await tars).map(sha256));
    const converted = await convertImage(image, { repository: directoryRepository(await temporaryDirectory()) });
    expect(converted.manifest.app?.exec).toEqual(['app']);
    expect((await archive.open(parseReference('app:2'), { platform })).layers).toHaveLength(1);
  });

  test.each([
    ['is its own ancestor', { [`${base}/json`]: JSON.stringify({ parent: top }) }, 'its own ancestor'],
    ['has a name that leads elsewhere', { repositories: '{"app":{"1":"../x"}}' }, 'has a layer called "../x"'],
    ['is not there', { repositories: JSON.stringify({ app: { '1': 'c'.repeat(64) } }) }, 'has no file "cccc'],
  ])('is refused when a layer %s', async (_what, changes, message) => {
    const archive = await openDockerArchive(await legacy(changes));
    await expect(archive.open(reference, { platform })).rejects.toMatchObject({
      code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID',
      message: expect.stringContaining(message),
    });
  });
});
