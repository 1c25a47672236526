// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { AciSegment } from '@rkt/appc';

/** The stream that segments make, with content from the tars of the layers. */
export function aciBytes(segments: Iterable<AciSegment>, tars: readonly Uint8Array[]): Buffer {
  const parts = Array.from(segments, (segment) => {
    if (segment.kind === 'bytes') return segment.bytes;
    const part = tars[segment.layer]?.subarray(segment.tarOffset, segment.tarOffset + segment.length);
    if (part?.length !== segment.length) throw new Error('segment lies outside its layer');
    return part;
  });
  return Buffer.concat(parts);
}
