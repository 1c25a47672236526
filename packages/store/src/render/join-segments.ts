// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';
import type { AciSegment } from '@rkt/appc';
import { unreadableLayer } from '../cas/unreadable-layer.ts';
import { StoreError, toStoreError } from '../errors.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Most pieces of an ACI are headers and small files: they are gathered, so that consumers see few large chunks. */
export async function* joinSegments(
  segments: Iterable<AciSegment>,
  reader: Pick<LayerReader, 'read'>,
): AsyncGenerator<Uint8Array, void> {
  let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let filled = 0;
  for (const segment of segments) {
    const length = segment.kind === 'bytes' ? segment.bytes.length : segment.length;
    for (let done = 0; done < length; ) {
      const count = Math.min(length - done, CHUNK_BYTES - filled);
      const target = chunk.subarray(filled, filled + count);
      if (segment.kind === 'bytes') target.set(segment.bytes.subarray(done, done + count));
      else await reader.read(target, segment.layer, segment.tarOffset + done);
      done += count;
      filled += count;
      if (filled < CHUNK_BYTES) continue;
      yield chunk;
      chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

export interface LayerReader extends AsyncDisposable {
  /** Fills the target with the layer's bytes at the offset. Immediate when they are in the window. */
  read(target: Uint8Array, layer: number, offset: number): Promise<void>;
}

interface OpenLayer {
  readonly layer: number;
  readonly path: string;
  readonly handle: FileHandle;
  readonly window: Buffer;
  windowStart: number;
  windowLength: number;
}

/**
 * An ACI takes its content layer by layer and in the order of each tar, so one open file and one window that moves
 * forward serve nearly everything with large reads.
 */
export function layerReader(paths: readonly string[]): LayerReader {
  let current: OpenLayer | undefined;
  const select = async (layer: number): Promise<OpenLayer> => {
    if (current?.layer === layer) return current;
    await current?.handle.close();
    current = undefined;
    current = await openLayer(paths, layer);
    return current;
  };
  return {
    read: async (target, layer, offset) => {
      const source = current?.layer === layer ? current : await select(layer);
      if (!copyFromWindow(source, target, offset)) await readThrough(source, target, offset);
    },
    [Symbol.asyncDispose]: async () => current?.handle.close(),
  };
}

async function openLayer(paths: readonly string[], layer: number): Promise<OpenLayer> {
  const path = paths[layer];
  if (path === undefined) throw new RangeError(`layer ${layer} of ${paths.length}`);
  try {
    const handle = await open(path, 'r');
    return { layer, path, handle, window: Buffer.allocUnsafe(CHUNK_BYTES), windowStart: 0, windowLength: 0 };
  } catch (error) {
    throw unreadableLayer(error, path);
  }
}

function copyFromWindow(source: OpenLayer, target: Uint8Array, offset: number): boolean {
  const start = offset - source.windowStart;
  if (start < 0 || start + target.length > source.windowLength) return false;
  target.set(source.window.subarray(start, start + target.length));
  return true;
}

async function readThrough(source: OpenLayer, target: Uint8Array, offset: number): Promise<void> {
  const direct = target.length * 2 >= CHUNK_BYTES;
  const buffer = direct ? target : source.window;
  const got = await readFully(source, buffer, offset);
  if (got < target.length) {
    throw new StoreError(
      'ERR_RKT_STORE_CORRUPT',
      `layer ${source.path} ends too early: expected ${target.length} bytes at ${offset}, got ${got}`,
      { path: source.path },
    );
  }
  if (direct) return;
  source.windowStart = offset;
  source.windowLength = got;
  copyFromWindow(source, target, offset);
}

async function readFully(source: OpenLayer, buffer: Uint8Array, offset: number): Promise<number> {
  let got = 0;
  try {
    while (got < buffer.length) {
      const { bytesRead } = await source.handle.read(buffer, got, buffer.length - got, offset + got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
  } catch (error) {
    throw toStoreError(error, 'cannot read a layer', source.path);
  }
  return got;
}
