// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { LayerRepository } from '@rkt/appc';
import { type BlobReader, type Image, type Layer, RegistryError } from '@rkt/registry';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ConversionEvent, convertImage, convertToAci, directoryRepository } from '../src/index.ts';
import { type SampleLayer, sampleImage, tarOf, tarOfLink } from './sample-image.ts';
import { temporaryDirectory } from './temporary.ts';

let base: SampleLayer;
let middle: SampleLayer;
let top: SampleLayer;
let small: SampleLayer;
beforeAll(async () => {
  base = { tar: await tarOf({ 'etc/': '', 'etc/hostname': 'base\n', 'etc/gone': 'x', big: randomBytes(7 << 20) }) };
  middle = { tar: await tarOf({ 'etc/hostname': 'middle\n', random: randomBytes(6 << 20) }) };
  small = { tar: await tarOf({ small: 'x' }) };
  top = { tar: await tarOf({ 'etc/.wh.gone': '', new: 'n' }) };
});

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a converted image', () => {
  test.each([
    ['on worker threads', () => [base, middle, top]],
    ['on this thread', () => [top]],
    ['without layers', () => []],
  ])('%s has the SHA-512 of its ACI as its ID', async (_name, layers) => {
    const dir = await temporaryDirectory();
    const image = sampleImage(layers());
    const converted = await convertImage(image, { repository: directoryRepository(dir) });
    const aci = await collect(convertToAci(image, { dir }));
    expect(converted.id).toBe(`sha512-${createHash('sha512').update(aci).digest('hex')}`);
    expect(converted.size).toBe(aci.length);
    expect(converted.layers.map(({ diffId }) => diffId)).toEqual(image.config.diffIds);
    expect(converted.layers.map(({ size }) => size)).toEqual(layers().map(({ tar }) => tar.length));
  });

  test('is an archive others can read, and sha512sum agrees', async () => {
    const dir = await temporaryDirectory();
    const ids: string[] = [];
    const aci = await collect(
      convertToAci(sampleImage([base, middle, top]), { onConverted: ({ id }) => ids.push(id) }),
    );
    const path = join(dir, 'image.aci');
    await writeFile(path, aci);
    expect(`sha512-${execFileSync('sha512sum', [path], { encoding: 'utf8' }).split(' ')[0]}`).toBe(ids[0]);
    const names = execFileSync('tar', ['tf', path], { encoding: 'utf8' }).trim().split('\n');
    expect(names[0]).toBe('manifest');
    expect(names).toContain('rootfs/etc/hostname');
    expect(names).not.toContain('rootfs/etc/gone');
    expect(execFileSync('tar', ['xOf', path, 'rootfs/etc/hostname'], { encoding: 'utf8' })).toBe('middle\n');
  });

  test('is the same compressed', async () => {
    const image = sampleImage([top]);
    const plain = await collect(convertToAci(image));
    expect(gunzipSync(await collect(convertToAci(image, { compression: 'gzip' }))).equals(plain)).toBe(true);
  });

  test('does not fetch what the repository has, nor a layer twice', async () => {
    const repository = directoryRepository(await temporaryDirectory());
    let opened = 0;
    const counted: SampleLayer = {
      ...top,
      onOpen: () => {
        opened += 1;
      },
    };
    const events: ConversionEvent[] = [];
    const first = await convertImage(sampleImage([counted, counted]), { repository });
    expect(opened).toBe(1);
    const again = await convertImage(sampleImage([counted, counted]), {
      repository,
      onProgress: (e) => events.push(e),
    });
    expect(opened).toBe(1);
    expect(again).toEqual(first);
    expect(events.map(({ type }) => type)).toEqual(['layer:present', 'image:hashing', 'image:done']);
  });

  test('tells what happens', async () => {
    const events: ConversionEvent[] = [];
    const repository = directoryRepository(await temporaryDirectory());
    await convertImage(sampleImage([top]), { repository, onProgress: (event) => events.push(event) });
    expect(events.map(({ type }) => type)).toEqual([
      'layer:start',
      'layer:bytes',
      'layer:done',
      'image:hashing',
      'image:done',
    ]);
    expect(JSON.parse(JSON.stringify(events))).toEqual(events);
  });
});

describe('a conversion that fails leaves nothing behind:', () => {
  async function leftovers(layers: readonly SampleLayer[], expected: unknown, signal?: AbortSignal): Promise<void> {
    const dir = await temporaryDirectory();
    const options = { repository: directoryRepository(dir), concurrency: layers.length };
    await expect(convertImage(sampleImage(layers), { ...options, ...(signal && { signal }) })).rejects.toEqual(
      expected,
    );
    expect((await readdir(dir)).filter((name) => name.startsWith('.'))).toEqual([]);
  }

  test('a wrong diffID on a worker thread', async () => {
    const wrong: SampleLayer = { ...base, diffId: `sha256:${'0'.repeat(64)}` };
    const expected = expect.objectContaining({ code: 'ERR_RKT_DOCKER2ACI_DIFF_ID_MISMATCH', name: 'ConversionError' });
    await leftovers([wrong, middle, top], expected);
  });

  test('a source that breaks off', async () => {
    const broken = new Error('connection reset');
    const breaking: SampleLayer = { ...top, onOpen: () => Promise.reject(broken) };
    await leftovers([base, middle, breaking], broken);
  });

  test('layers that do not fit each other', async () => {
    const dangling = { tar: await tarOfLink('link', 'nowhere') };
    const expected = expect.objectContaining({ code: 'ERR_RKT_DOCKER2ACI_IMAGE_INVALID' });
    await leftovers([dangling], expected);
    await leftovers([base, middle, dangling], expected);
  });

  test('a signal that fires while layers arrive', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const slow: SampleLayer = { ...base, onOpen: () => void setTimeout(() => controller.abort(reason), 5) };
    await leftovers([slow, middle, top], reason, controller.signal);
  });

  test('a signal that fires when all layers have come, and nothing goes unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const stop = new AbortController();
    const converting = convertImage(sampleImage([{ tar: await tarOfLink('a', 'nowhere') }]), {
      repository: directoryRepository(await temporaryDirectory()),
      signal: stop.signal,
      onProgress: ({ type }) => {
        if (type === 'image:hashing') stop.abort(new Error('enough'));
      },
    });
    await expect(converting).rejects.toThrow('enough');
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  test.each([
    ['larger than allowed when put together', { maxImageBytes: 1 << 20 }, () => [base]],
    ['with one layer so often that its files are too many', { maxIndexBytes: 100 }, () => Array(8).fill(small)],
  ])('an image %s', async (_name, limits, layers) => {
    const repository = directoryRepository(await temporaryDirectory());
    await expect(convertImage(sampleImage(layers()), { repository, limits })).rejects.toMatchObject({
      code: 'ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED',
    });
  });

  test('a signal that has fired already', async () => {
    const reason = new Error('before');
    await leftovers([top], reason, AbortSignal.abort(reason));
  });

  test('a progress listener that throws', async () => {
    const dir = await temporaryDirectory();
    const onProgress = (): void => {
      throw new Error('listener');
    };
    const run = convertImage(sampleImage([top]), { repository: directoryRepository(dir), onProgress });
    await expect(run).rejects.toThrow('listener');
    expect(await readdir(dir)).toEqual([]);
  });

  test('an iteration that is ended early', async () => {
    const tmpDir = await temporaryDirectory();
    for await (const _ of convertToAci(sampleImage([top]), { tmpDir })) break;
    expect(await readdir(tmpDir)).toEqual([]);
  });

  test('a disk that is full', async () => {
    const dir = await temporaryDirectory();
    const plain = directoryRepository(dir);
    const repository: LayerRepository = {
      prepareLayer: async (diffId) => {
        const prepared = await plain.prepareLayer(diffId);
        return prepared.state === 'ingest' ? { ...prepared, path: '/dev/full' } : prepared;
      },
    };
    const expected = { code: 'ERR_RKT_DOCKER2ACI_DISK_FULL', path: '/dev/full' };
    await expect(convertImage(sampleImage([top]), { repository })).rejects.toMatchObject(expected);
    await expect(convertImage(sampleImage([base, middle]), { repository })).rejects.toMatchObject(expected);
    expect(await readdir(dir)).toEqual([]);
  });
});

test('a damaged layer file is an error, not another ID', async () => {
  const dir = await temporaryDirectory();
  const repository = directoryRepository(dir);
  const image = sampleImage([base]);
  await convertImage(image, { repository });
  const [name = ''] = (await readdir(dir)).filter((file) => file.endsWith('.tar'));
  await writeFile(join(dir, name), (await readFile(join(dir, name))).subarray(0, 5000));
  await expect(convertImage(image, { repository })).rejects.toMatchObject({ code: 'ERR_RKT_DOCKER2ACI_IO' });
});

describe('a layer whose bytes were wrong', () => {
  const mismatch = new RegistryError('ERR_RKT_REGISTRY_DIGEST_MISMATCH', 'digest mismatch', {});
  const lying = (layer: SampleLayer, lies: number): { image: Image; openings: () => number } => {
    const image = sampleImage([layer, top]);
    const [honest, ...others] = image.layers;
    if (honest === undefined) throw new Error('no layer');
    let openings = 0;
    const open: Layer['open'] = async (options) => {
      const reader = await honest.open(options);
      openings += 1;
      return openings > lies ? reader : { ...reader, [Symbol.asyncIterator]: () => wrong(reader) };
    };
    return { image: { ...image, layers: [{ ...honest, open }, ...others] }, openings: () => openings };
  };
  async function* wrong(reader: BlobReader): AsyncGenerator<Uint8Array> {
    for await (const chunk of reader) {
      yield chunk;
      throw mismatch;
    }
  }

  test.each([
    ['on worker threads', () => base],
    ['on this thread', () => small],
  ])('is fetched once more, %s', async (_name, layer) => {
    const { image, openings } = lying(layer(), 1);
    const repository = directoryRepository(await temporaryDirectory());
    const honest = await convertImage(sampleImage([layer(), top]), {
      repository: directoryRepository(await temporaryDirectory()),
    });
    expect((await convertImage(image, { repository })).id).toBe(honest.id);
    expect(openings()).toBe(2);
  });

  test('is given up the second time', async () => {
    const dir = await temporaryDirectory();
    const { image, openings } = lying(base, 9);
    await expect(convertImage(image, { repository: directoryRepository(dir) })).rejects.toBe(mismatch);
    expect(openings()).toBe(2);
    expect((await readdir(dir)).filter((name) => !name.endsWith('.tar') && !name.endsWith('.idx'))).toEqual([]);
  });
});
