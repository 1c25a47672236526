// SPDX-License-Identifier: Apache-2.0
import type { Extent, FileNode } from '@rkt/appc';
import { BLOCK_BITS, BLOCK_SIZE, MAX_CHUNK_BITS } from './format.ts';

/** How the content of a file is cut into chunks of `BLOCK_SIZE * 2^bits` bytes, each a run of tar blocks or a hole. */
export interface ChunkMap {
  readonly bits: number;
  readonly count: number;
  /** Merged, non-empty, sorted by `fileOffset`. */
  readonly extents: readonly Extent[];
}

/** Why a file has no chunk map. */
export interface ChunkRefusal {
  readonly kind: 'invalid' | 'unsupported';
  readonly reason: string;
}

/** 8 MiB of chunk indexes; a sparse file of 64 TiB whose data is aligned to 64 MiB still fits. */
export const MAX_CHUNKS_PER_FILE: number = 1 << 20;

/**
 * The largest chunks for which every chunk is either a hole or one run of 512-byte-aligned tar bytes. One chunk for
 * a contiguous file. A sparse file whose pieces are not aligned to 512 bytes, in the tar or in the file, has no map:
 * blocks cannot point at it.
 */
export function mapChunks(file: FileNode, layerSize: number): ChunkMap | ChunkRefusal {
  const extents = mergeExtents(file.extents);
  const problem = checkExtents(extents, file.size, layerSize);
  if (problem !== undefined) return { kind: 'invalid', reason: problem };
  let bits = coveringBits(file.size);
  for (const { fileOffset, tarOffset, length } of extents) {
    const end = fileOffset + length;
    if (
      tarOffset % BLOCK_SIZE !== 0 ||
      fileOffset % BLOCK_SIZE !== 0 ||
      (end !== file.size && end % BLOCK_SIZE !== 0)
    ) {
      return { kind: 'unsupported', reason: 'content is not aligned to 512 bytes' };
    }
    bits = Math.min(bits, alignmentBits(fileOffset), end === file.size ? bits : alignmentBits(end));
  }
  const count = Math.ceil(file.size / chunkSize(bits));
  if (count > MAX_CHUNKS_PER_FILE) return { kind: 'unsupported', reason: `sparse file needs ${count} chunks` };
  return { bits, count, extents };
}

/** Bytes of a chunk. May exceed 2^32, so no shifts. */
export function chunkSize(bits: number): number {
  return BLOCK_SIZE * 2 ** bits;
}

function mergeExtents(extents: readonly Extent[]): readonly Extent[] {
  if (extents.length === 1) return extents[0]?.length === 0 ? [] : extents;
  const merged: Extent[] = [];
  for (const extent of extents) {
    const last = merged.at(-1);
    if (extent.length === 0) continue;
    if (last !== undefined && continues(last, extent)) {
      merged[merged.length - 1] = { ...last, length: last.length + extent.length };
    } else {
      merged.push(extent);
    }
  }
  return merged;
}

function continues(last: Extent, next: Extent): boolean {
  return last.fileOffset + last.length === next.fileOffset && last.tarOffset + last.length === next.tarOffset;
}

/** Extents come from a stored index: a damaged one must not make blocks point outside the layer. */
function checkExtents(extents: readonly Extent[], size: number, layerSize: number): string | undefined {
  let end = 0;
  for (const { fileOffset, tarOffset, length } of extents) {
    if (!(fileOffset >= end && length > 0 && fileOffset + length <= size))
      return 'content overlaps or exceeds the file';
    if (!(tarOffset >= 0 && tarOffset + length <= layerSize)) return 'content lies outside the layer';
    end = fileOffset + length;
  }
  return undefined;
}

function coveringBits(size: number): number {
  const blocks = Math.ceil(size / BLOCK_SIZE);
  return Math.min(MAX_CHUNK_BITS, blocks <= 1 ? 0 : Math.ceil(Math.log2(blocks)));
}

/** How many times a multiple of the block size can be halved and stay one. */
function alignmentBits(offset: number): number {
  if (offset === 0) return MAX_CHUNK_BITS;
  let bits = 0;
  for (let blocks = offset / 2 ** BLOCK_BITS; blocks % 2 === 0 && bits < MAX_CHUNK_BITS; blocks /= 2) bits += 1;
  return bits;
}
