// SPDX-License-Identifier: Apache-2.0
import type { FileTree, TreeNode } from '@rkt/appc';

/** Every node of a tree by path; a hard link is the same object under several paths. */
export function nodesByPath(tree: FileTree): Map<string, TreeNode> {
  const nodes = new Map<string, TreeNode>();
  const visit = (path: string, node: TreeNode): void => {
    nodes.set(path, node);
    if (node.kind !== 'directory') return;
    for (const [name, child] of node.children) visit(path === '' ? name : `${path}/${name}`, child);
  };
  visit('', tree.root);
  return nodes;
}

/** Paths of everything but the root, sorted. */
export function pathsOf(tree: FileTree): string[] {
  return [...nodesByPath(tree).keys()].filter((path) => path !== '').sort();
}
