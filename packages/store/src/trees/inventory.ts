// SPDX-License-Identifier: Apache-2.0
import type { ByteString, DirectoryNode, FileTree, TreeNode } from '@rkt/appc';
import { isFileName } from './node-limits.ts';
import { isRendered } from './rendered-content.ts';
import { treeError } from './tree-error.ts';

/** A node with its names counted. One per node, however many names lead to it. */
export interface Inode {
  /** Its place in the inventory, from 0. */
  readonly index: number;
  readonly node: TreeNode;
  /** Names that lead here; for a directory 2 and one per subdirectory. */
  links: number;
  /** Present exactly for directories. */
  readonly directory: Directory | undefined;
  /** One of the names, for error messages. */
  readonly name: ByteString;
  readonly parent: Inode | undefined;
}

/** The entries of a directory with `.` and `..`, sorted by bytes, in two parallel arrays. */
export interface Directory {
  readonly depth: number;
  names: readonly ByteString[];
  inodes: readonly Inode[];
}

/** Deeper directories could not be named by any path (PATH_MAX is 4096 and every component takes two bytes). */
export const MAX_DEPTH = 2048;

/**
 * Every inode of a tree once, the root first and the children of a directory next to each other, sorted: the order
 * in which `ls -l` reads them.
 */
export function takeInventory(tree: FileTree): readonly Inode[] {
  const root: Inode = newInode(tree.root, 0, '', undefined);
  const inodes = [root];
  const known = new Map<TreeNode, Inode>();
  const pending = [root];
  for (let inode = pending.pop(); inode !== undefined; inode = pending.pop()) {
    if (inode.directory === undefined || inode.node.kind !== 'directory') continue;
    const subdirectories = listDirectory(inode, inode.node, { inodes, known });
    for (let at = subdirectories.length - 1; at >= 0; at -= 1) {
      const next = subdirectories[at];
      if (next !== undefined) pending.push(next);
    }
  }
  return inodes;
}

/** The path of an inode by one of its names, for messages. */
export function pathOf(inode: Inode): ByteString {
  const names: ByteString[] = [];
  for (let at: Inode | undefined = inode; at?.parent !== undefined; at = at.parent) names.push(at.name);
  return names.reverse().join('/');
}

interface Found {
  readonly inodes: Inode[];
  readonly known: Map<TreeNode, Inode>;
}

/** Fills in the entries of a directory and returns its subdirectories in order. */
function listDirectory(inode: Inode, node: DirectoryNode, found: Found): readonly Inode[] {
  const names = ['.', '..'];
  for (const [name, child] of node.children) {
    if (!isRendered(child)) continue;
    if (!isFileName(name)) throw treeError('ERR_RKT_STORE_TREE_INVALID', 'bad file name in directory', entryOf(inode));
    names.push(name);
  }
  // Names are byte strings, so the default order by code units is the order by bytes.
  names.sort();
  const subdirectories: Inode[] = [];
  const inodes = names.map((name) => {
    const child = node.children.get(name);
    if (child === undefined) return name === '.' ? inode : (inode.parent ?? inode);
    const entry = enter(child, name, inode, found);
    if (entry.directory !== undefined) subdirectories.push(entry);
    return entry;
  });
  inode.links += subdirectories.length;
  if (inode.directory !== undefined) Object.assign(inode.directory, { names, inodes });
  return subdirectories;
}

function enter(node: TreeNode, name: ByteString, parent: Inode, found: Found): Inode {
  const seen = node.kind === 'directory' ? undefined : found.known.get(node);
  if (seen !== undefined) {
    seen.links += 1;
    return seen;
  }
  const inode = newInode(node, found.inodes.length, name, parent);
  if ((inode.directory?.depth ?? 0) > MAX_DEPTH) {
    throw treeError('ERR_RKT_STORE_TREE_UNSUPPORTED', `directories are nested deeper than ${MAX_DEPTH}`);
  }
  found.inodes.push(inode);
  if (node.kind !== 'directory') found.known.set(node, inode);
  return inode;
}

function newInode(node: TreeNode, index: number, name: ByteString, parent: Inode | undefined): Inode {
  const directory = node.kind === 'directory' ? newDirectory(parent) : undefined;
  return { index, node, links: directory === undefined ? 1 : 2, directory, name, parent };
}

function newDirectory(parent: Inode | undefined): Directory {
  return { depth: (parent?.directory?.depth ?? 0) + 1, names: [], inodes: [] };
}

function entryOf(inode: Inode): { readonly entry: string } {
  return { entry: pathOf(inode) };
}
