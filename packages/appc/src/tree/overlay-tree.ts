// SPDX-License-Identifier: Apache-2.0
import type { ByteString } from './byte-string.ts';
import type { DirectoryNode, NodeBase, TreeNode } from './file-tree.ts';
import { IMPLIED_ATTRIBUTES } from './layer-tree.ts';

/** A directory of the upper layer of an overlay: what is there now in the place of, or beside, what is below it. */
export interface UpperDirectory extends NodeBase {
  readonly kind: 'directory';
  /** Nothing of the directory below shows through. */
  readonly opaque: boolean;
  readonly children: ReadonlyMap<ByteString, UpperNode>;
}

/** The name is not there, whatever is below. */
export interface WhiteoutNode {
  readonly kind: 'whiteout';
}

export type UpperNode = UpperDirectory | Exclude<TreeNode, DirectoryNode> | WhiteoutNode;

/**
 * The root directory that an overlay of Linux shows: attributes are those of the upper directory, whiteouts take names away,
 * and only two directories of one name merge. Whiteouts are nodes here and no names: one that begins with `.wh.` is a file.
 * Directories without anything above them are those of `lower` themselves.
 */
export function overlayTree(lower: DirectoryNode, upper: UpperDirectory): DirectoryNode {
  const { attributes, origin } = upper;
  const children = new Map(upper.opaque ? [] : lower.children);
  for (const [name, node] of upper.children) {
    if (node.kind === 'whiteout') children.delete(name);
    else if (node.kind === 'directory') children.set(name, overlayTree(directoryIn(children, name), node));
    else children.set(name, node);
  }
  return { kind: 'directory', attributes, origin, children };
}

function directoryIn(children: ReadonlyMap<ByteString, TreeNode>, name: ByteString): DirectoryNode {
  const node = children.get(name);
  return node?.kind === 'directory' ? node : NOTHING;
}

const NOTHING: DirectoryNode = {
  kind: 'directory',
  attributes: IMPLIED_ATTRIBUTES,
  origin: undefined,
  children: new Map(),
};
