// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDirectEngine } from '../../src/layers/direct-engine.ts';
import type { Engine, EngineOptions } from '../../src/layers/engine.ts';
import { createStreamEngine } from '../../src/layers/stream-engine.ts';

const implementations: readonly (readonly [string, (options: EngineOptions) => Engine | undefined])[] = [
  ['on the calling thread', createDirectEngine],
  ['on the thread pool', createStreamEngine],
];
const compressions = [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const;

/** More than any output buffer, and not all of it compressible. */
const plain = Buffer.concat([Buffer.alloc(3 << 20, 'abcdefgh'), randomBytes(300_000), Buffer.alloc(1 << 20)]);

describe.each(implementations)('an engine %s', (_name, create) => {
  const open = (options: Partial<EngineOptions> & Pick<EngineOptions, 'compression'>) => {
    const pieces: Buffer[] = [];
    const engine = create({ maxZstdWindowLog: 27, sink: (bytes) => pieces.push(Buffer.from(bytes)), ...options });
    if (engine === undefined) throw new Error('this Node has no such engine');
    return { engine, output: () => Buffer.concat(pieces) };
  };

  describe.each(compressions)('of %s', (compression, compress) => {
    it('gives all bytes, however the input is cut', async () => {
      const packed = compress(plain);
      for (const size of [packed.length, 65_536, 1000]) {
        const { engine, output } = open({ compression });
        for (let at = 0; at < packed.length; at += size) {
          const part = packed.subarray(at, at + size);
          expect(await engine.inflate(part)).toBe(part.length);
        }
        await engine.finish();
        engine.destroy();
        expect(output().equals(plain)).toBe(true);
      }
    });

    it('says that it ends too early', async () => {
      const { engine } = open({ compression });
      await engine.inflate(compress(plain).subarray(0, -9));
      await expect(engine.finish()).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
      engine.destroy();
    });

    it('fails with what the sink throws, and gives it nothing more', async () => {
      const reason = new Error('full');
      let calls = 0;
      const sink = () => {
        calls += 1;
        throw reason;
      };
      const { engine } = open({ compression, sink });
      await expect(engine.inflate(compress(plain))).rejects.toBe(reason);
      engine.destroy();
      expect(calls).toBe(1);
    });

    it('fails on bytes that are none of its kind', async () => {
      const { engine } = open({ compression });
      await expect(engine.inflate(Buffer.alloc(1000, 'no'))).rejects.toMatchObject({ code: expect.any(String) });
      engine.destroy();
      engine.destroy();
    });
  });

  it('leaves what is behind the end of gzip', async () => {
    const { engine, output } = open({ compression: 'gzip' });
    const packed = gzipSync(plain);
    expect(await engine.inflate(Buffer.concat([packed, Buffer.alloc(100)]))).toBe(packed.length);
    expect(output().equals(plain)).toBe(true);
    engine.destroy();
  });

  it('gives members of gzip that follow each other as one', async () => {
    const { engine, output } = open({ compression: 'gzip' });
    const packed = Buffer.concat([gzipSync('one '), gzipSync('two')]);
    expect(await engine.inflate(packed)).toBe(packed.length);
    await engine.finish();
    expect(output().toString()).toBe('one two');
    engine.destroy();
  });

  it('refuses a zstd window larger than allowed', async () => {
    const params = { [constants.ZSTD_c_windowLog]: 20, [constants.ZSTD_c_contentSizeFlag]: 0 };
    const { engine } = open({ compression: 'zstd', maxZstdWindowLog: 12 });
    const inflating = engine.inflate(zstdCompressSync(plain, { params }));
    await expect(inflating).rejects.toMatchObject({ code: 'ZSTD_error_frameParameter_windowTooLarge' });
    engine.destroy();
  });

  it('survives any bytes: an error or an end, never anything else', async () => {
    const seeds = [gzipSync('seed of a member'), zstdCompressSync('seed of a frame')];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('gzip' as const, 'zstd' as const),
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }),
        async (compression, seed, flips) => {
          const bytes = Buffer.from(seed);
          for (const [at, value] of flips) bytes[at % bytes.length] = value;
          const { engine } = open({ compression });
          try {
            expect(await engine.inflate(bytes)).toBeLessThanOrEqual(bytes.length);
            await engine.finish();
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
            expect(Reflect.get(error as Error, 'code')).toEqual(expect.any(String));
          } finally {
            engine.destroy();
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the calling thread', () => {
  it.each(compressions)('gets its turn while little inflates to a lot (%s)', async (compression, compress) => {
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    const engine = createDirectEngine({ compression, maxZstdWindowLog: 27, sink: () => undefined });
    await engine?.inflate(compress(Buffer.alloc(200 << 20)));
    await engine?.finish();
    engine?.destroy();
    clearInterval(counting);
    expect(turns).toBeGreaterThan(5);
  });

  it('goes through frames without an engine and a buffer for each', async () => {
    const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    const many = Buffer.concat([...Array.from({ length: 20_000 }, () => skippable), zstdCompressSync('content')]);
    const pieces: string[] = [];
    const sink = (bytes: Uint8Array) => pieces.push(Buffer.from(bytes).toString());
    const engine = createDirectEngine({ compression: 'zstd', maxZstdWindowLog: 27, sink });
    expect(await engine?.inflate(many)).toBe(many.length);
    await engine?.finish();
    engine?.destroy();
    expect(pieces.join('')).toBe('content');
  });
});

it('agrees on everything', async () => {
  const digests = await Promise.all(
    implementations.map(async ([, create]) => {
      const hash = createHash('sha256');
      const engine = create({ compression: 'gzip', maxZstdWindowLog: 27, sink: (bytes) => hash.update(bytes) });
      await engine?.inflate(gzipSync(plain, { level: 1 }));
      await engine?.finish();
      engine?.destroy();
      return hash.digest('hex');
    }),
  );
  expect(new Set(digests).size).toBe(1);
});
