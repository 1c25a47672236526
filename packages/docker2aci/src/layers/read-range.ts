// SPDX-License-Identifier: Apache-2.0
import { readSync } from 'node:fs';
import { ConversionError } from '../errors.ts';
import { toIoError } from '../io-error.ts';

export interface OpenLayer {
  readonly fd: number;
  readonly path: string;
}

/** Fills `target` from a layer tar. @throws ConversionError `IO`, also if the file ends before */
export function readLayerRange(layer: OpenLayer, target: Uint8Array, offset: number): void {
  for (let at = 0; at < target.length; ) {
    const read = readPart(layer, target.subarray(at), offset + at);
    if (read === 0) throw shorterThanIndex(layer.path, offset + at);
    at += read;
  }
}

/** Of a layer tar that ends at `offset`, where its index promises more. */
export function shorterThanIndex(path: string, offset: number): ConversionError {
  const text = `layer file ${path} is shorter than its index says: nothing at offset ${offset}`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_IO', text, { path });
}

function readPart(layer: OpenLayer, target: Uint8Array, position: number): number {
  try {
    return readSync(layer.fd, target, 0, target.length, position);
  } catch (error) {
    throw toIoError(error, 'cannot read', layer.path);
  }
}
