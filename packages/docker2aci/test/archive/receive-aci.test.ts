// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { decodeLayerIndex } from '@rkt/appc';
import { beforeAll, describe, expect, test } from 'vitest';
import { isConversionError, type ReceivedAci, receiveAci } from '../../src/index.ts';
import type { ConversionLimits } from '../../src/limits.ts';
import { tarOf, tarOfLink } from '../sample-image.ts';
import { temporaryDirectory } from '../temporary.ts';

const manifest = JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.10', name: 'example.com/app' });
let tar: Buffer;
beforeAll(async () => {
  // As docker2aci without squashing has it: the manifest last.
  tar = await tarOf({ 'rootfs/': '', 'rootfs/bin/app': randomBytes(300_000), manifest });
});

interface Received extends ReceivedAci {
  readonly written: Buffer;
}

async function receive(bytes: Uint8Array, limits: Partial<ConversionLimits> = {}): Promise<Received> {
  const path = join(await temporaryDirectory(), 'aci');
  await writeFile(path, '');
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 7919) yield bytes.subarray(at, at + 7919);
  };
  return { ...(await receiveAci(source(), { name: 'app.aci', path, limits })), written: await readFile(path) };
}

async function failure(bytes: Uint8Array, limits?: Partial<ConversionLimits>): Promise<readonly [string, string]> {
  const error = await receive(bytes, limits).catch((reason: unknown) => reason);
  if (!isConversionError(error)) throw new Error('expected a ConversionError', { cause: error });
  return [error.code.slice('ERR_RKT_DOCKER2ACI_'.length), error.message];
}

describe('an ACI', () => {
  test.each([
    ['plain', () => tar],
    ['gzip', () => gzipSync(tar)],
    ['zstd', () => zstdCompressSync(tar)],
  ])('that is %s is what its uncompressed bytes are', async (_name, pack) => {
    const received = await receive(pack());
    const hash = (algorithm: string): string => createHash(algorithm).update(tar).digest('hex');
    expect(received).toMatchObject({
      id: `sha512-${hash('sha512')}`,
      diffId: `sha256:${hash('sha256')}`,
      size: tar.length,
      manifest: { name: 'example.com/app' },
    });
    expect(received.written.equals(tar)).toBe(true);
    expect(Buffer.from(received.manifestBytes).toString()).toBe(manifest);
    expect(decodeLayerIndex(received.index).entries.map(({ path }) => path)).toContain('rootfs/bin/app');
  });

  test('may depend on what a hard link of it leads to', async () => {
    const dependencies = [{ imageName: 'example.com/base' }];
    const parts = [
      await tarOf({ manifest: JSON.stringify({ ...JSON.parse(manifest), dependencies }) }),
      await tarOfLink('rootfs/a', 'rootfs/b'),
    ];
    await expect(receive(joined(parts))).resolves.toMatchObject({ manifest: { dependencies } });
    const link = parts[1] ?? Buffer.alloc(0);
    // The original's ACI of a single layer: it is part of an image and says nothing of the others.
    await expect(receive(joined([await tarOf({ manifest }), link]))).resolves.toMatchObject({ size: 2560 });
    const app = { exec: ['/a'], user: '0', group: '0' };
    const runnable = await tarOf({ manifest: JSON.stringify({ ...JSON.parse(manifest), app }) });
    const [code, message] = await failure(joined([runnable, link]));
    expect([code, message]).toEqual(['ACI_INVALID', expect.stringContaining('points at nothing')]);
  });
});

/** Archives one after the other, without the ends of all but the last. */
function joined(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.map((part, at) => (at === parts.length - 1 ? part : part.subarray(0, -1024))));
}

describe('is no ACI:', () => {
  const layer = async (files: Record<string, string>): Promise<Buffer> => tarOf(files);
  test.each<[string, () => Buffer | Promise<Buffer>, string, string]>([
    [
      'xz',
      () => Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 9]),
      'UNSUPPORTED_COMPRESSION',
      'compressed with xz, expected',
    ],
    ['bzip2', () => Buffer.from('BZh91AY'), 'UNSUPPORTED_COMPRESSION', 'compressed with bzip2, expected'],
    ['a text', () => Buffer.from('<html>'.repeat(200)), 'NOT_A_TAR', 'neither a tar nor compressed'],
    ['nothing', () => Buffer.alloc(0), 'ACI_INVALID', 'holds no manifest'],
    ['half of one', () => tar.subarray(0, 5000), 'TRUNCATED', 'ends in the middle of an entry'],
    ['half a gzip', () => gzipSync(tar).subarray(0, 5000), 'TRUNCATED', 'middle of its compressed data'],
    [
      'gzip with a tail',
      () => Buffer.concat([gzipSync(tar), Buffer.from('something')]),
      'COMPRESSION_CORRUPT',
      'damaged',
    ],
    ['a layer', () => layer({ 'etc/passwd': '' }), 'ACI_INVALID', '"etc/passwd" beside manifest and rootfs'],
    ['without rootfs', () => layer({ manifest }), 'ACI_INVALID', 'holds no rootfs'],
    ['a manifest that is none', () => layer({ manifest: '{}', 'rootfs/': '' }), 'ACI_INVALID', 'acKind'],
    ['two of a name', () => joinedTwice(), 'ACI_INVALID', 'twice'],
  ])('%s', async (_name, bytes, code, text) => {
    const [actual, message] = await failure(await bytes());
    expect([actual, message]).toEqual([code, expect.stringContaining('cannot use ACI "app.aci": ')]);
    expect(message).toContain(text);
  });

  async function joinedTwice(): Promise<Buffer> {
    return joined([await tarOf({ manifest, 'rootfs/a': '' }), await tarOf({ 'rootfs/a': '' })]);
  }

  test('a bomb', async () => {
    const bomb = gzipSync(await tarOf({ manifest, 'rootfs/zeros': Buffer.alloc(8 * 1024 * 1024) }));
    const [code, message] = await failure(bomb, { maxExpansion: 10, expansionFreeBytes: 1024 * 1024 });
    expect(code).toBe('LIMIT_EXCEEDED');
    expect(message).toContain('cannot use ACI "app.aci": it expands to more than the ');
  });

  test('a name that nobody could read', async () => {
    const named = JSON.stringify({ ...JSON.parse(manifest), name: 'n'.repeat(513) });
    const [code, message] = await failure(await tarOf({ manifest: named, 'rootfs/': '' }));
    expect([code, message]).toEqual(['LIMIT_EXCEEDED', expect.stringContaining('its name has 513 characters')]);
  });

  test('a manifest that nobody could read whole', async () => {
    const huge = await tarOf({ manifest: Buffer.alloc(5 * 1024 * 1024, ' '), 'rootfs/': '' });
    expect(await failure(huge)).toEqual(['LIMIT_EXCEEDED', expect.stringContaining('its manifest has 5242880 bytes')]);
  });
});

test('what the signal says ends it', async () => {
  const path = join(await temporaryDirectory(), 'aci');
  await writeFile(path, '');
  const stop = new AbortController();
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield tar.subarray(0, 1024);
    stop.abort(new Error('enough'));
    for (;;) yield Buffer.alloc(512);
  };
  await expect(receiveAci(endless(), { name: 'x', path, signal: stop.signal })).rejects.toThrow('enough');
});
