// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { decodeLayerIndex } from '@rkt/appc';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ConversionLimits, defaultConversionLimits, isConversionError } from '../../src/index.ts';
import type { LayerSink } from '../../src/layers/layer-job.ts';
import { unpackLayer } from '../../src/layers/unpack.ts';
import { sha256, tarOf } from '../sample-image.ts';
import { temporaryDirectory } from '../temporary.ts';

interface Case {
  readonly tar?: Uint8Array;
  readonly mediaType?: string;
  readonly limits?: Partial<ConversionLimits>;
  readonly chunk?: number;
}

let tar: Buffer;
beforeAll(async () => {
  tar = await tarOf({ 'etc/': '', 'etc/hostname': 'here\n', 'bin/app': Buffer.alloc(100_000, 'abcdefg') });
});

async function unpack(
  blob: Uint8Array,
  { tar: expected = tar, mediaType = 'x.tar+gzip', limits, chunk = 7919 }: Case = {},
) {
  const path = join(await temporaryDirectory(), 'layer');
  await writeFile(path, '');
  const job = { path, digest: sha256(blob), mediaType, size: blob.length, diffId: sha256(expected) };
  const sink = unpackLayer({ ...job, limits: { ...defaultConversionLimits, ...limits } });
  try {
    for (let at = 0; at < blob.length; at += chunk) await pushAndTakeBack(sink, blob.subarray(at, at + chunk));
    const { size, index } = await sink.finish();
    await sink.settle();
    return { size, paths: decodeLayerIndex(index).entries.map((entry) => entry.path), written: await readFile(path) };
  } catch (error) {
    sink.abort();
    throw error;
  }
}

/** As a registry does that gives chunks of a connection: they are buffers of Node, and their memory is gone afterwards. */
async function pushAndTakeBack(sink: LayerSink, bytes: Uint8Array): Promise<void> {
  const { buffer } = new Uint8Array(bytes);
  await sink.push(Buffer.from(buffer));
  buffer.transfer(0);
}

async function failure(blob: Uint8Array, options?: Case): Promise<{ code: string; message: string }> {
  const error = await unpack(blob, options).catch((reason: unknown) => reason);
  if (!isConversionError(error)) throw new Error('expected a ConversionError', { cause: error });
  return { code: error.code.slice('ERR_RKT_DOCKER2ACI_'.length), message: error.message };
}

describe('a layer', () => {
  test.each([
    ['plain', () => tar],
    ['gzip', () => gzipSync(tar)],
    ['zstd', () => zstdCompressSync(tar)],
    ['gzip of several members', () => Buffer.concat([gzipSync(tar.subarray(0, 5000)), gzipSync(tar.subarray(5000))])],
    [
      'zstd of several frames',
      () => Buffer.concat([zstdCompressSync(tar.subarray(0, 5000)), zstdCompressSync(tar.subarray(5000))]),
    ],
    [
      'zstd with skippable frames',
      () => {
        const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('abc')]);
        return Buffer.concat([skippable, zstdCompressSync(tar), skippable]);
      },
    ],
    ['gzip padded with zeros', () => Buffer.concat([gzipSync(tar), Buffer.alloc(20_000)])],
  ])('that is %s becomes its tar', async (_name, make) => {
    const blob = make();
    for (const chunk of [1 << 20, 7919, 13]) {
      const result = await unpack(blob, { chunk });
      expect(result.written.equals(tar)).toBe(true);
      expect(result.size).toBe(tar.length);
      expect(result.paths).toEqual(['etc', 'etc/hostname', 'bin/app']);
    }
  });

  test('may be an empty archive, and an empty file', async () => {
    const zeros = Buffer.alloc(1024);
    expect((await unpack(gzipSync(zeros), { tar: zeros })).paths).toEqual([]);
    expect((await unpack(new Uint8Array(0), { tar: new Uint8Array(0), mediaType: 'x.tar' })).size).toBe(0);
  });

  test('is known by its content, whatever it is labelled', async () => {
    expect((await unpack(zstdCompressSync(tar), { mediaType: 'x.tar+gzip' })).size).toBe(tar.length);
  });
});

describe('a hostile layer is refused:', () => {
  test('other content than the diffID says', async () => {
    const { code, message } = await failure(gzipSync(tar), { tar: Buffer.from('other') });
    expect(code).toBe('DIFF_ID_MISMATCH');
    expect(message).toContain(sha256(tar));
  });

  test('bytes behind the archive that the diffID does not count', async () => {
    expect((await failure(gzipSync(Buffer.concat([tar, Buffer.from('x')])))).code).toBe('DIFF_ID_MISMATCH');
  });

  test.each([
    ['gzip', (): Buffer => gzipSync(tar)],
    ['zstd', (): Buffer => zstdCompressSync(tar)],
  ])('truncated %s', async (_name, make) => {
    const blob = make();
    expect((await failure(blob.subarray(0, blob.length - 9))).code).toBe('TRUNCATED');
    expect((await failure(blob.subarray(0, 8))).code).toBe('TRUNCATED');
  });

  test.each([
    ['gzip', (): Buffer => gzipSync(tar)],
    ['zstd', (): Buffer => zstdCompressSync(tar)],
  ])('garbage after %s, also after padding', async (_name, make) => {
    for (const garbage of ['garbage', '\0\0\0garbage']) {
      const { code } = await failure(Buffer.concat([make(), Buffer.from(garbage)]));
      expect(code).toBe('COMPRESSION_CORRUPT');
    }
  });

  test('zeros after zstd, which has no padding, however the blob is cut', async () => {
    const blob = zstdCompressSync(tar);
    const padded = Buffer.concat([blob, Buffer.alloc(blob.length)]);
    for (const chunk of [padded.length, blob.length, 13]) {
      expect((await failure(padded, { chunk })).code).toBe('COMPRESSION_CORRUPT');
    }
  });

  test('a flipped bit', async () => {
    const blob = gzipSync(tar);
    blob[blob.length - 6] = (blob[blob.length - 6] ?? 0) ^ 1;
    expect((await failure(blob)).code).toBe('COMPRESSION_CORRUPT');
  });

  test('a decompression bomb, long before it has expanded', async () => {
    const bomb = gzipSync(Buffer.alloc(8 << 20));
    const limits = { expansionFreeBytes: 1 << 20, maxExpansion: 100 };
    expect((await failure(bomb, { limits })).code).toBe('LIMIT_EXCEEDED');
    expect((await failure(gzipSync(tar), { limits: { maxLayerBytes: 1000 } })).code).toBe('LIMIT_EXCEEDED');
  });

  test('a zstd window that is too large', async () => {
    const params = { [constants.ZSTD_c_windowLog]: 20, [constants.ZSTD_c_contentSizeFlag]: 0 };
    const noise = Buffer.concat([tar, Buffer.alloc(3 << 20, 'q')]);
    const blob = zstdCompressSync(noise, { params });
    expect((await failure(blob, { tar: noise, limits: { maxZstdWindowLog: 12 } })).code).toBe('LIMIT_EXCEEDED');
  });

  test.each([
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2], 'UNSUPPORTED_COMPRESSION', /compressed with xz/],
    ['bzip2', [0x42, 0x5a, 0x68, 0x39], 'UNSUPPORTED_COMPRESSION', /compressed with bzip2/],
    ['HTML', [...Buffer.from('<html>\u001b')], 'NOT_A_TAR', /3c 68 74 6d 6c 3e 1b/],
  ])('%s, with its media type and first bytes', async (_name, bytes, code, text) => {
    const refused = await failure(Buffer.from(bytes), { mediaType: 'application/x\u0007' });
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(text);
    expect(refused.message).toContain('"application/x\\u0007"');
  });

  test('something compressed that is no tar', async () => {
    expect((await failure(gzipSync(Buffer.alloc(2000, 'no tar')))).code).toBe('NOT_A_TAR');
  });

  test('an archive that ends in the middle of a file', async () => {
    const cut = tar.subarray(0, 4000);
    expect((await failure(gzipSync(cut), { tar: cut })).code).toBe('LAYER_INVALID');
  });

  test('nothing where gzip is promised', async () => {
    expect((await failure(new Uint8Array(0))).code).toBe('NOT_A_TAR');
  });
});
