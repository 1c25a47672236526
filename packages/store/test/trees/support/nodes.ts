// SPDX-License-Identifier: Apache-2.0
import type { DirectoryNode, EntryAttributes, FileNode, FileTree, SymlinkNode, TreeNode } from '@rkt/appc';

/** Small trees by hand. Everything not stated is ordinary. */
export const plain: EntryAttributes = { mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000, mtimeNanoseconds: 0 };

export function directory(
  children: Readonly<Record<string, TreeNode>>,
  attributes: Partial<EntryAttributes> = {},
): DirectoryNode {
  return {
    kind: 'directory',
    origin: undefined,
    attributes: { ...plain, mode: 0o755, ...attributes },
    children: new Map(Object.entries(children)),
  };
}

/** A file of the base layer whose content follows a header at `tarOffset - 512`. */
export function file(length: number, tarOffset = 512, attributes: Partial<EntryAttributes> = {}): FileNode {
  return {
    kind: 'file',
    origin: { layer: 0, headerOffset: tarOffset - 512 },
    attributes: { ...plain, ...attributes },
    size: length,
    extents: length === 0 ? [] : [{ fileOffset: 0, tarOffset, length }],
  };
}

export function symlink(target: string): SymlinkNode {
  return { kind: 'symlink', origin: undefined, attributes: plain, target };
}

export function device(
  kind: 'character-device' | 'block-device',
  major: number,
  minor: number,
): Extract<TreeNode, { readonly major: number }> {
  return { kind, origin: undefined, attributes: plain, major, minor };
}

export function treeWith(root: DirectoryNode, layerSize = 65_536): FileTree {
  return { layers: [{ diffId: `sha256:${'ab'.repeat(32)}`, size: layerSize }], root };
}
