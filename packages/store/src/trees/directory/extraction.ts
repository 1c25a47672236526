// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from '@rkt/appc';
import type { TreeSyscalls } from '../../host/tree-syscalls.ts';
import type { Inode } from '../inventory.ts';

/** A directory on the way from the root to what is being written. */
export interface Frame {
  readonly inode: Inode;
  readonly name: ByteString;
  readonly parent: Frame | undefined;
  /** Open while the directory is being filled. */
  handle: number | undefined;
  /** Index of the next entry. */
  next: number;
}

/** The first name of a node that has several: further ones are linked to it. */
export interface FirstName {
  readonly frame: Frame;
  readonly name: ByteString;
}

/** What all steps of one extraction share. */
export interface Extraction {
  readonly calls: TreeSyscalls;
  /** Handles of the layer tars. */
  readonly layers: readonly number[];
  readonly privileged: boolean;
  readonly firstNames: Map<Inode, FirstName>;
  readonly buffer: Uint8Array;
  /** Whether the kernel has not yet refused to copy between these file systems by itself. */
  canCopyInKernel: boolean;
}

/** The handle of a directory that is being filled. */
export function handleOf(frame: Frame): number {
  if (frame.handle === undefined) throw new RangeError('directory is already complete');
  return frame.handle;
}

/** Not among Node's constants; the same on every architecture that Linux and Node share. */
export const O_PATH = 0o10000000;

const BUFFER_SIZE = 1 << 20;

export function newExtraction(parts: Pick<Extraction, 'calls' | 'layers' | 'privileged'>): Extraction {
  return { ...parts, firstNames: new Map(), buffer: Buffer.allocUnsafe(BUFFER_SIZE), canCopyInKernel: true };
}
