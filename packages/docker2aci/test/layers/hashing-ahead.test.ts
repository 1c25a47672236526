// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeLayerIndex, type LayerEntry } from '@rkt/appc';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import type { ImageHasherOptions } from '../../src/layers/image-hasher.ts';
import { hashHere, type ImageHashing } from '../../src/layers/image-hashing.ts';
import type { OpenLayer } from '../../src/layers/read-range.ts';
import { temporaryDirectory } from '../temporary.ts';

const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };
const BLOCK = 512;
const ENTRIES = 12;

/** What the tar of a layer has at each place is told by the place and by `seed`: wrong content gives another ID. */
async function layerFile(seed: number): Promise<OpenLayer> {
  const path = join(await temporaryDirectory(), 'layer.tar');
  const bytes = Buffer.alloc(2 * BLOCK * (ENTRIES + 1));
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at + seed * 1_000_000, at);
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  onTestFinished(() => closeSync(fd));
  return { fd, path };
}

/** A file, or with a `target` a hard link, in the place of its number. */
const entry = (number: number, path: string, target?: string): LayerEntry => {
  const headerOffset = number * 2 * BLOCK;
  if (target !== undefined) return { kind: 'hardlink', path, target, headerOffset, ...attributes };
  const extents = [{ fileOffset: 0, tarOffset: headerOffset + BLOCK, length: 300 }];
  return { kind: 'file', path, headerOffset, size: 300, extents, ...attributes };
};

const indexOf = (entries: readonly LayerEntry[]): Uint8Array =>
  encodeLayerIndex({ size: 2 * BLOCK * (ENTRIES + 1), entries });

interface TestLayer {
  readonly file: OpenLayer;
  readonly entries: readonly LayerEntry[];
}

function start(layers: readonly TestLayer[], options: Partial<ImageHasherOptions> = {}): ImageHashing {
  return hashHere({ manifestBytes: Buffer.from('{}'), layerCount: layers.length, maxBytes: 1 << 30, ...options });
}

function add(hashing: ImageHashing, { file, entries }: TestLayer): void {
  hashing.addLayer({ diffId: `sha256:${'0'.repeat(64)}`, file, index: indexOf(entries) });
}

async function idOf(layers: readonly TestLayer[]): Promise<string> {
  const hashing = start(layers);
  for (const layer of layers) add(hashing, layer);
  return (await hashing.finish()).id;
}

/** Hashing whose turn comes when everything asked for before has been done. */
const idle = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 20));

const arbitraryEntries = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e/f', 'e/g'), fc.option(fc.constantFrom('a', 'b'))), {
    maxLength: ENTRIES,
  })
  .map((stated) => {
    const made = new Set<string>();
    return stated.map(([path, target], number) => {
      const link = target !== null && target !== path && made.has(target) ? target : undefined;
      made.add(path);
      return entry(number, path, link);
    });
  });

it('gives the ID it gives without, whatever later entries do to those hashed ahead', async () => {
  const files = await Promise.all([layerFile(1), layerFile(2), layerFile(3)]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryEntries, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(1, 700, 1 << 20),
      async (stated, piece, markBytes) => {
        const layers = stated.flatMap((entries, number) =>
          files.slice(number, number + 1).map((file) => ({ entries, file })),
        );
        const hashing = start(layers, { markBytes });
        for (const { entries, file } of layers) {
          for (let at = 0; at < entries.length; at += piece) {
            hashing.foresee({ file, index: indexOf(entries.slice(at, at + piece)) });
          }
          await idle();
          add(hashing, { entries, file });
        }
        expect((await hashing.finish()).id).toBe(await idOf(layers));
      },
    ),
    { numRuns: 40 },
  );
});

it('takes nothing from a file that was another attempt at the layer', async () => {
  const entries = [entry(0, 'a'), entry(1, 'b')];
  const good: TestLayer = { file: await layerFile(1), entries };
  const wrong = await layerFile(2);
  for (const again of [false, true]) {
    const hashing = start([good], { markBytes: 1 });
    hashing.foresee({ file: wrong, index: indexOf(entries) });
    if (again) hashing.foresee({ file: good.file, index: indexOf(entries.slice(0, 1)) });
    await idle();
    add(hashing, good);
    expect((await hashing.finish()).id).toBe(await idOf([good]));
  }
});

it('has done the work when the layer comes, but for what it was not told of', async () => {
  const file = await layerFile(1);
  const entries = [entry(0, 'a'), entry(1, 'b'), entry(2, 'c')];
  const expected = await idOf([{ file, entries }]);
  const hashing = start([{ file, entries }], { markBytes: 1 });
  hashing.foresee({ file, index: indexOf(entries.slice(0, 2)) });
  await idle();
  // Of what has been hashed nothing is read again.
  writeFileSync(file.path, Buffer.alloc(2 * 2 * BLOCK), { flag: 'r+' });
  add(hashing, { file, entries });
  expect((await hashing.finish()).id).toBe(expected);
});

it('leaves to the layer itself whatever is wrong with a part of it', async () => {
  const file = await layerFile(1);
  const entries = [entry(0, 'a'), entry(1, 'b')];
  const tooMuch = { kind: 'file', path: 'x', headerOffset: 0, size: 1 << 30, extents: [], ...attributes } as const;
  for (const index of [Buffer.from('no index'), indexOf([entry(ENTRIES * 2, 'far')]), indexOf([tooMuch])]) {
    const hashing = start([{ file, entries }], { maxBytes: 1 << 20, markBytes: 1 });
    hashing.foresee({ file, index });
    await idle();
    add(hashing, { file, entries });
    expect((await hashing.finish()).id).toBe(await idOf([{ file, entries }]));
  }
});

it('lets no guess be too large for the image it is of', async () => {
  const file = await layerFile(1);
  const entries = Array.from({ length: ENTRIES }, (_, number) => entry(number, 'a'));
  const without = start([{ file, entries }]);
  add(without, { file, entries });
  const { id, size } = await without.finish();
  const hashing = start([{ file, entries }], { maxBytes: size });
  hashing.foresee({ file, index: indexOf(entries) });
  await idle();
  add(hashing, { file, entries });
  expect((await hashing.finish()).id).toBe(id);
});
