// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from './byte-string.ts';
import type { EntryAttributes, Extent } from './layer-index.ts';

/** Which layer a node comes from and where its header stands there. Orders the ACI stream; unique per node. */
export interface Origin {
  /** Index into {@link FileTree.layers}; 0 is the base layer. */
  readonly layer: number;
  readonly headerOffset: number;
}

/** `origin` is undefined only for directories no layer states: they are implied by the path of something below them. */
export interface NodeBase {
  readonly attributes: EntryAttributes;
  readonly origin: Origin | undefined;
}

export interface DirectoryNode extends NodeBase {
  readonly kind: 'directory';
  /** Children by name, in no particular order; consumers that need one sort by bytes. */
  readonly children: ReadonlyMap<ByteString, TreeNode>;
}
/** A regular file. Hard links are the same object under several names. Content is in the tar of `origin.layer`. */
export interface FileNode extends NodeBase {
  readonly kind: 'file';
  readonly size: number;
  readonly extents: readonly Extent[];
}
export interface SymlinkNode extends NodeBase {
  readonly kind: 'symlink';
  readonly target: ByteString;
}
export interface DeviceNode extends NodeBase {
  readonly kind: 'character-device' | 'block-device';
  readonly major: number;
  readonly minor: number;
}
export interface FifoNode extends NodeBase {
  readonly kind: 'fifo';
}

/** A node of a merged tree. Any node but a directory may be reachable under several names (hard links): compare by identity. */
export type TreeNode = DirectoryNode | FileNode | SymlinkNode | DeviceNode | FifoNode;

/** A layer a tree takes content from. */
export interface TreeLayer {
  /** `sha256:<64 hex>` of the uncompressed tar. */
  readonly diffId: string;
  /** Size of the uncompressed tar in bytes. */
  readonly size: number;
}

/**
 * The root filesystem of an image as data: what OCI layer semantics make of its layers. Everything made from an image
 * (ACI stream, EROFS metadata, directory) is a function of this.
 */
export interface FileTree {
  /** Base layer first. */
  readonly layers: readonly TreeLayer[];
  readonly root: DirectoryNode;
}
