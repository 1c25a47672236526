// SPDX-License-Identifier: Apache-2.0
import { ftruncateSync, readSync, writeSync } from 'node:fs';
import type { Extent, FileNode } from '@rkt/appc';
import { hasErrno } from '../../errors.ts';
import { treeError } from '../tree-error.ts';
import type { Extraction } from './extraction.ts';

/** Below this a read and a write cost no more than asking the kernel to copy. */
const KERNEL_COPY_MIN = 128 * 1024;
/** Bytes between two yields. */
const STEP = 4 << 20;

/** Copies the content of a file out of its layer; what no extent covers stays a hole. */
export function* copyContent(extraction: Extraction, file: number, node: FileNode): Generator<void> {
  if (node.size === 0) return;
  const end = node.extents.reduce((furthest, { fileOffset, length }) => Math.max(furthest, fileOffset + length), 0);
  if (end > node.size) throw treeError('ERR_RKT_STORE_TREE_INVALID', 'content exceeds the file');
  const layer = node.origin === undefined ? undefined : extraction.layers[node.origin.layer];
  for (const extent of node.extents) {
    if (layer === undefined) throw treeError('ERR_RKT_STORE_TREE_INVALID', 'content in a layer that is not there');
    yield* copyExtent(extraction, { layer, file }, extent);
  }
  if (end < node.size) ftruncateSync(file, node.size);
}

interface Files {
  readonly layer: number;
  readonly file: number;
}

function* copyExtent(extraction: Extraction, files: Files, extent: Extent): Generator<void> {
  for (let done = 0; done < extent.length; ) {
    const length = Math.min(extent.length - done, STEP);
    const from = extent.tarOffset + done;
    const copied = copyPart(extraction, files, { tarOffset: from, fileOffset: extent.fileOffset + done, length });
    if (copied === 0) throw treeError('ERR_RKT_STORE_TREE_INVALID', `layer ends before offset ${from}`);
    done += copied;
    if (done < extent.length) yield;
  }
}

/** Bytes copied, at least one unless the layer ends. */
function copyPart(extraction: Extraction, files: Files, part: Extent): number {
  if (part.length < KERNEL_COPY_MIN || !extraction.canCopyInKernel) return copyThroughBuffer(extraction, files, part);
  try {
    const from = { file: files.layer, offset: part.tarOffset };
    return extraction.calls.copyFileRange(from, { file: files.file, offset: part.fileOffset }, part.length);
  } catch (error) {
    if (!KERNEL_REFUSALS.some((code) => hasErrno(error, code))) throw error;
    extraction.canCopyInKernel = false;
    return copyThroughBuffer(extraction, files, part);
  }
}

/** What kernels and sandboxes answer when they do not copy between two file systems, or at all. */
const KERNEL_REFUSALS: readonly string[] = ['EXDEV', 'EINVAL', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EPERM'];

function copyThroughBuffer({ buffer }: Extraction, files: Files, part: Extent): number {
  const read = readSync(files.layer, buffer, 0, Math.min(part.length, buffer.length), part.tarOffset);
  for (let written = 0; written < read; ) {
    written += writeSync(files.file, buffer, written, read - written, part.fileOffset + written);
  }
  return read;
}
