// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseReference, withDigest } from '@rkt/refparse';
import { describe, expect, test } from 'vitest';
import { convertImage, directoryRepository, openOciLayout } from '../../src/index.ts';
import { type Digest, sha256, tarOf } from '../sample-image.ts';
import { temporaryDirectory } from '../temporary.ts';

const latest = parseReference('docker.io/library/app:latest');
const platform = { os: 'linux', architecture: 'amd64' };

async function putBlob(layout: string, bytes: Uint8Array, digest: Digest = sha256(bytes)): Promise<Digest> {
  await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(layout, 'blobs', 'sha256', digest.slice(7)), bytes);
  return digest;
}

interface Written {
  readonly layout: string;
  readonly manifest: Digest;
  readonly layer: Digest;
  readonly blob: Uint8Array;
}

async function writeLayout(names: readonly (string | undefined)[]): Promise<Written> {
  const layout = await temporaryDirectory();
  const tar = await tarOf({ 'etc/': '', 'etc/hostname': 'x' });
  const blob = gzipSync(tar);
  const layer = await putBlob(layout, blob);
  const config = Buffer.from(
    JSON.stringify({ ...platform, config: { Cmd: ['sh'] }, rootfs: { type: 'layers', diff_ids: [sha256(tar)] } }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: await putBlob(layout, config),
        size: config.length,
      },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: layer, size: blob.length }],
    }),
  );
  const digest = await putBlob(layout, manifest);
  const manifests = names.map((name) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest,
    size: manifest.length,
    ...(name === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': name } }),
  }));
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return { layout, manifest: digest, layer, blob };
}

describe('an OCI layout somebody else unpacked', () => {
  test.each([
    ['a device that never ends', (path: string) => symlink('/dev/zero', path)],
    ['a pipe nobody fills', async (path: string) => void execFileSync('mkfifo', [path])],
    ['a directory', (path: string) => mkdir(path)],
  ])('with %s for an index or a blob is refused', async (_name, place) => {
    const refused = { code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', message: expect.stringContaining('regular file') };
    const first = await writeLayout(['latest']);
    await rm(join(first.layout, 'index.json'));
    await place(join(first.layout, 'index.json'));
    await expect(openOciLayout(first.layout)).rejects.toMatchObject(refused);
    const second = await writeLayout(['latest']);
    const blob = join(second.layout, 'blobs', 'sha256', second.layer.slice(7));
    await rm(blob);
    await place(blob);
    const image = await (await openOciLayout(second.layout)).open(latest, { platform });
    const repository = directoryRepository(await temporaryDirectory());
    await expect(convertImage(image, { repository })).rejects.toMatchObject(refused);
  });
});

describe('an OCI layout', () => {
  test('holds images that can be converted', async () => {
    const { layout } = await writeLayout(['app:1']);
    const repository = directoryRepository(await temporaryDirectory());
    const image = await (await openOciLayout(layout)).open(latest, { platform });
    const { manifest, layers } = await convertImage(image, { repository });
    expect(manifest.app?.exec).toEqual(['sh']);
    expect(layers.map(({ diffId }) => diffId)).toEqual(image.config.diffIds);
  });

  test.each([
    ['v1', 'app:v1'],
    ['app:v1', 'app:v1'],
    ['docker.io/library/app:v1', 'app:v1'],
    [undefined, 'app:anything'],
    ['other', 'app'],
  ])('with the entry %s answers to %s', async (name, reference) => {
    const { layout, manifest } = await writeLayout([name]);
    const image = await (await openOciLayout(layout)).open(parseReference(reference), { platform });
    expect(image.descriptor.digest).toBe(manifest);
  });

  test('finds a manifest by its digest', async () => {
    const { layout, manifest } = await writeLayout(['a', 'b']);
    const image = await (await openOciLayout(layout)).open(withDigest(latest, manifest), { platform });
    expect(image.descriptor.digest).toBe(manifest);
  });

  test('says what it has when it has not what is wanted', async () => {
    const { layout } = await writeLayout(['a\u001b', 'b']);
    const source = await openOciLayout(layout);
    await expect(source.open(latest, { platform })).rejects.toMatchObject({
      code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND',
      message: expect.stringMatching(/has "a\\u001b", "b"$/),
    });
  });

  test.each([
    ['altered', (blob: Uint8Array) => Buffer.concat([blob.subarray(0, -1), Buffer.from('x')])],
    ['shorter', (blob: Uint8Array) => blob.subarray(0, 20)],
    ['longer', (blob: Uint8Array) => Buffer.concat([blob, Buffer.alloc(9)])],
  ])('with a blob that is %s is refused', async (_name, damage) => {
    const { layout, layer, blob } = await writeLayout([undefined]);
    await putBlob(layout, damage(blob), layer);
    const dir = await temporaryDirectory();
    const image = await (await openOciLayout(layout)).open(latest, { platform });
    await expect(convertImage(image, { repository: directoryRepository(dir) })).rejects.toMatchObject({
      code: expect.stringMatching(/BLOB_CORRUPT|COMPRESSION_CORRUPT|TRUNCATED/),
    });
    expect(await readdir(dir)).toEqual([]);
  });

  test('gives nothing of a blob once it is told to stop, and fails nowhere else', async () => {
    const { layout } = await writeLayout([undefined]);
    const image = await (await openOciLayout(layout)).open(latest, { platform });
    const reason = new Error('enough');
    const blob = await image.layers[0]?.open({ signal: AbortSignal.abort(reason) });
    await expect(blob?.[Symbol.asyncIterator]().next()).rejects.toBe(reason);
    // What a stream has to say it says a little later, to the whole process.
    await new Promise((resolve) => setTimeout(resolve, 20));
  });

  test('with an altered manifest is refused', async () => {
    const { layout, manifest } = await writeLayout([undefined]);
    await putBlob(layout, Buffer.from('{}'), manifest);
    const source = await openOciLayout(layout);
    await expect(source.open(latest, { platform })).rejects.toMatchObject({ code: 'ERR_RKT_DOCKER2ACI_BLOB_CORRUPT' });
  });

  test.each([
    ['oci-layout', '{"imageLayoutVersion":"2.0.0"}', 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID'],
    ['oci-layout', 'no JSON', 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID'],
    ['index.json', '[]', 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID'],
    [
      'index.json',
      '{"manifests":[{"digest":"sha256:../../etc/passwd","size":1}]}',
      'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID',
    ],
  ])('with a bad %s (%s) is refused', async (name, content, code) => {
    const { layout } = await writeLayout([undefined]);
    await writeFile(join(layout, name), content);
    await expect(openOciLayout(layout)).rejects.toMatchObject({ code });
  });

  test('that is none is an error that names the file', async () => {
    const dir = await temporaryDirectory();
    const expected = {
      code: 'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID',
      message: `${dir} is not an OCI image layout, or not all of one: there is no ${join(dir, 'oci-layout')}`,
    };
    await expect(openOciLayout(dir)).rejects.toMatchObject(expected);
  });
});
