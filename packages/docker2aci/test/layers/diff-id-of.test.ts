// SPDX-License-Identifier: Apache-2.0
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { type DiffIdOptions, diffIdOf, isConversionError } from '../../src/index.ts';
import { sampleImage, sha256, tarOf } from '../sample-image.ts';

let tar: Buffer;
beforeAll(async () => {
  tar = await tarOf({ 'etc/': '', 'etc/hostname': 'here\n', 'bin/app': Buffer.alloc(100_000, 'abcdefg') });
});

async function measure(blob: Uint8Array, options?: DiffIdOptions): Promise<string> {
  const [layer] = sampleImage([{ tar, blob }]).layers;
  if (layer === undefined) throw new Error('the sample has no layer');
  return diffIdOf(await layer.open(), options);
}

async function failure(blob: Uint8Array, options?: DiffIdOptions): Promise<string> {
  const error = await measure(blob, options).catch((reason: unknown) => reason);
  if (!isConversionError(error)) throw new Error('expected a ConversionError', { cause: error });
  return error.code.slice('ERR_RKT_DOCKER2ACI_'.length);
}

/** Much that costs little: zeros, or members that hold nothing. */
const bomb = gzipSync(Buffer.alloc(80 << 20));
const members = Buffer.concat(Array.from({ length: 20_000 }, () => gzipSync('', { level: constants.Z_BEST_SPEED })));

describe('the diffID of a blob', () => {
  test.each([
    ['plain', () => tar],
    ['gzip', () => gzipSync(tar)],
    ['zstd', () => zstdCompressSync(tar)],
    ['gzip with much that is empty', () => Buffer.concat([gzipSync(tar), members])],
  ])('that is %s is the SHA-256 of its tar', async (_name, make) => {
    expect(await measure(make())).toBe(sha256(tar));
  });

  test('with nothing but the empty tar of schema 1 is that of two blocks of zeros', async () => {
    const empty = Buffer.from('1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000', 'hex');
    expect(await measure(empty)).toBe(sha256(Buffer.alloc(1024)));
  });

  test.each([
    ['a page', () => Buffer.from('<html>'.repeat(200)), 'NOT_A_TAR'],
    ['nothing', () => Buffer.alloc(0), 'NOT_A_TAR'],
    ['xz', () => Buffer.from('fd377a585a00'.padEnd(2000, '0'), 'hex'), 'UNSUPPORTED_COMPRESSION'],
    ['cut', () => gzipSync(tar).subarray(0, -20), 'TRUNCATED'],
    ['damaged', () => gzipSync(tar).fill(0xff, 40, 60), 'COMPRESSION_CORRUPT'],
    ['a bomb', () => bomb, 'LIMIT_EXCEEDED'],
  ])('that is %s cannot be told', async (_name, make, code) => {
    expect(await failure(make())).toBe(code);
  });

  test('is not sought beyond a limit of the caller’s', async () => {
    expect(await failure(gzipSync(tar), { limits: { maxLayerBytes: 1000 } })).toBe('LIMIT_EXCEEDED');
  });

  test('is not sought after the signal', async () => {
    const reason = new Error('not now');
    await expect(measure(gzipSync(tar), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
