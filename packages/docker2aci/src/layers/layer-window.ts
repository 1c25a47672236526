// SPDX-License-Identifier: Apache-2.0
import { type OpenLayer, readLayerRange } from './read-range.ts';

/** A layer tar that may still be written to. */
export interface ReadableLayer {
  readonly file: OpenLayer;
  /** So many bytes of it are there and will not change. */
  readonly size: number;
}

/** Reads ranges of layer tars. Small ones that follow each other, as the files of a layer do, are one read together. */
export interface LayerWindow {
  /** Fills `target` from the tar. @throws as {@link readLayerRange} */
  read(layer: ReadableLayer, target: Uint8Array, offset: number): void;
}

const WINDOW_BYTES = 256 * 1024;
/** A range so large is read by itself. */
const LARGE_BYTES = 64 * 1024;

export function createLayerWindow(): LayerWindow {
  const bytes = Buffer.allocUnsafe(WINDOW_BYTES);
  let [fd, start, end] = [-1, 0, 0];
  return {
    read: ({ file, size }, target, offset) => {
      const seen = file.fd === fd && offset >= start && offset + target.length <= end;
      if (!seen && target.length >= LARGE_BYTES) {
        readLayerRange(file, target, offset);
        return;
      }
      if (!seen) {
        const length = Math.max(target.length, Math.min(WINDOW_BYTES, size - offset));
        // Should it fail half-way, nothing has been seen.
        fd = -1;
        readLayerRange(file, bytes.subarray(0, length), offset);
        [fd, start, end] = [file.fd, offset, offset + length];
      }
      bytes.copy(target, 0, offset - start, offset - start + target.length);
    },
  };
}
