// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type BlobReader, type Image, type Layer, RegistryError } from '@rkt/registry';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { convertImage, directoryRepository, isConversionError } from '../src/index.ts';
import { type SampleEntry, sampleImage, tarOfEntries } from './sample-image.ts';
import { temporaryDirectory } from './temporary.ts';

/** Where the content of files is taken from, each from another place. */
const random = randomBytes(4 << 20);

const name = fc.constantFrom('a', 'b', 'c/d', 'c/e', 'c');
const content = fc
  .tuple(fc.nat(1 << 20), fc.constantFrom(0, 300, 900_000, 1_700_000, 2_500_000))
  .map(([from, size]) => random.subarray(from, from + size));
const entry: fc.Arbitrary<SampleEntry> = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(fc.oneof(name, fc.stringMatching(/^own\/[a-z]{3}$/)), content) },
  { weight: 2, arbitrary: name.map((path): SampleEntry => [path, 'directory']) },
  { weight: 1, arbitrary: name.map((path): SampleEntry => [path, 'fifo']) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('a', 'b', 'l'), fc.constantFrom({ link: 'a' }, { link: 'c/d' })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('.wh.a', 'c/.wh.d', 'c/.wh..wh..opq', '.wh..wh.plnk/x')
      .map((path): SampleEntry => [path, Buffer.alloc(0)]),
  },
);
const layer = fc.array(entry, { minLength: 6, maxLength: 12 });

interface Stated {
  readonly layers: readonly (readonly SampleEntry[])[];
  /** By number, of those above: again, below. */
  readonly again: number | undefined;
  /** By number: it comes wrong the first time. */
  readonly wrong: number | undefined;
}

/** Without links that lead nowhere, for the most part: those to `a` may lead to a lower layer. */
function mostlyLeading(entries: readonly SampleEntry[], number: number): readonly SampleEntry[] {
  const stated = new Set<string>();
  const leading = entries.filter(([path, what]) => {
    const isLink = !(what instanceof Uint8Array) && typeof what === 'object';
    if (isLink && (path === what.link || !stated.has(what.link)) && (number === 0 || what.link !== 'a')) return false;
    if (what !== 'directory') stated.add(path);
    else stated.delete(path);
    return true;
  });
  return number === 0 ? [['a', random.subarray(0, 1000)], ...leading] : leading;
}

const image: fc.Arbitrary<Stated> = fc.record({
  layers: fc.array(layer, { minLength: 2, maxLength: 3 }).map((layers) => layers.map(mostlyLeading)),
  again: fc.option(fc.nat(1), { nil: undefined }),
  wrong: fc.option(fc.nat(1), { nil: undefined }),
});

async function made({ layers, again, wrong }: Stated): Promise<Image> {
  const tars = await Promise.all(layers.map(tarOfEntries));
  const repeated = tars[again ?? -1];
  const tarMediaType = 'application/vnd.oci.image.layer.v1.tar';
  const all = [...(repeated === undefined ? [] : [repeated]), ...tars];
  const sample = sampleImage(all.map((tar) => ({ tar, blob: tar, mediaType: tarMediaType })));
  const { diffId } = sample.layers[all.length - 1 - (wrong ?? -all.length)] ?? { diffId: '' };
  const other = sample.layers.find((each) => each.diffId !== diffId);
  const lying = (each: Layer): Layer => (each.diffId === diffId && other ? wrongAtFirst(each, other) : each);
  return { ...sample, layers: sample.layers.map(lying).map(slowly) };
}

/** Comes so slowly, but for the top layer, that what has come is hashed meanwhile. */
function slowly(layer: Layer, number: number, { length }: readonly Layer[]): Layer {
  if (number === length - 1) return layer;
  const open: Layer['open'] = async (options) => {
    const reader = await layer.open(options);
    return { ...reader, [Symbol.asyncIterator]: () => paused(reader) };
  };
  return { ...layer, open };
}

async function* paused(reader: BlobReader): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of reader) {
    bytes += chunk.length;
    yield chunk;
    if (bytes % 500_000 < chunk.length) await setTimeout(20);
  }
}

/** Comes as another layer until almost all of that has been taken. */
function wrongAtFirst(honest: Layer, other: Layer): Layer {
  let openings = 0;
  const open: Layer['open'] = async (options) => {
    openings += 1;
    if (openings > 1) return honest.open(options);
    const reader = await other.open(options);
    return { ...reader, [Symbol.asyncIterator]: () => brokenOff(reader) };
  };
  return { ...honest, open };
}

async function* brokenOff(reader: BlobReader): AsyncGenerator<Uint8Array> {
  yield* reader;
  throw new RegistryError('ERR_RKT_REGISTRY_DIGEST_MISMATCH', 'digest mismatch', {});
}

/** The ID of an image, or why it has none. */
async function idOf(converted: Image, dir: string): Promise<string> {
  try {
    return (await convertImage(converted, { repository: directoryRepository(dir) })).id;
  } catch (error) {
    if (isConversionError(error)) return error.code;
    throw error;
  }
}

test('an image hashed while its layers arrive has the ID it has when they are all there', async () => {
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(image, async (stated) => {
      const converted = await made(stated);
      const dir = await temporaryDirectory();
      const arriving = await idOf(converted, dir);
      expect(await idOf(converted, dir)).toBe(arriving);
      if (arriving.startsWith('sha512-')) valid += 1;
    }),
    { numRuns: 6, endOnFailure: true },
  );
  expect(valid).toBeGreaterThan(0);
}, 60_000);
