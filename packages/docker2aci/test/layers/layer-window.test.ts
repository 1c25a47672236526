// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { createLayerWindow, type LayerWindow, type ReadableLayer } from '../../src/layers/layer-window.ts';
import { temporaryDirectory } from '../temporary.ts';

const KIB = 1024;

async function layerOf(bytes: Uint8Array, size = bytes.length): Promise<ReadableLayer> {
  const path = join(await temporaryDirectory(), 'layer.tar');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  onTestFinished(() => closeSync(fd));
  return { file: { fd, path }, size };
}

/** Bytes that tell where they are. */
function content(length: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((at + seed) >>> 0, at);
  return bytes;
}

function read(window: LayerWindow, layer: ReadableLayer, offset: number, length: number): Buffer {
  const target = Buffer.alloc(length);
  window.read(layer, target, offset);
  return target;
}

it('reads what is there, whatever was read before', async () => {
  const contents = [content(900 * KIB), content(300 * KIB, 7)];
  const layers = await Promise.all(contents.map((bytes) => layerOf(bytes)));
  const range = fc
    .record({
      of: fc.integer({ min: 0, max: 1 }),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat(300 * KIB),
    })
    .map(({ of, from, length }) => {
      const whole = contents[of]?.length ?? 0;
      const offset = Math.floor(from * whole);
      return { of, offset, length: Math.min(length, whole - offset) };
    });
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 12 }), (ranges) => {
      const window = createLayerWindow();
      for (const { of, offset, length } of ranges) {
        const layer = layers[of];
        if (layer === undefined) throw new Error('no such layer');
        expect(
          read(window, layer, offset, length).equals(
            contents[of]?.subarray(offset, offset + length) ?? Buffer.alloc(0),
          ),
        ).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

it('looks at nothing beyond what is there and final', async () => {
  const bytes = content(8 * KIB);
  const early = await layerOf(bytes, 4 * KIB);
  const window = createLayerWindow();
  expect(read(window, early, 0, 512)).toEqual(bytes.subarray(0, 512));
  // What stood behind it then is something else by now.
  const later = Buffer.alloc(4 * KIB, 0xee);
  writeFileSync(early.file.path, Buffer.concat([bytes.subarray(0, 4 * KIB), later]));
  appendFileSync(early.file.path, later);
  const whole = { ...early, size: 12 * KIB };
  expect(read(window, whole, 3 * KIB, 2 * KIB)).toEqual(
    Buffer.concat([bytes.subarray(3 * KIB, 4 * KIB), later.subarray(0, KIB)]),
  );
});

it('says which layer is shorter than it should be, and gives nothing of the failed read afterwards', async () => {
  const bytes = content(2 * KIB);
  const layer = await layerOf(bytes, 64 * KIB);
  const window = createLayerWindow();
  const fault = expect.objectContaining({ code: 'ERR_RKT_DOCKER2ACI_IO', path: layer.file.path });
  expect(() => read(window, layer, 0, 512)).toThrow(fault);
  expect(read(window, { ...layer, size: bytes.length }, 512, 512)).toEqual(bytes.subarray(512, 1024));
});
