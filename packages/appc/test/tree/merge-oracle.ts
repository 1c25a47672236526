// SPDX-License-Identifier: Apache-2.0
import type { EntryAttributes, LayerEntry, LayerIndex } from '@rkt/appc';

/**
 * The merge once more, in the most obvious way: a map of paths, layers applied from the base up. Slow, and shares no code
 * and no idea with the product's.
 */
export interface OracleNode {
  kind: LayerEntry['kind'];
  /** `layer:headerOffset` of the entry the node comes from; '' if it is implied. */
  origin: string;
  attributes: string;
}

export type OracleTree = Map<string, OracleNode>;

export class OracleRefusal extends Error {}

interface Resolved {
  nodes: OracleTree;
  whiteouts: Set<string>;
  opaques: Set<string>;
  /** Hard links to lower layers: the stand-in node and where it points. */
  links: Map<OracleNode, string>;
}

export function oracleMerge(layers: readonly LayerIndex[]): OracleTree {
  let tree: OracleTree = new Map([['', implied()]]);
  for (const [number, layer] of layers.entries()) tree = apply(tree, resolve(layer, number));
  return tree;
}

export function attributesText(attributes: EntryAttributes): string {
  const { mode, uid, gid, mtime, mtimeNanoseconds } = attributes;
  return [mode, uid, gid, mtime, mtimeNanoseconds].join(' ');
}

function implied(): OracleNode {
  return { kind: 'directory', origin: '', attributes: '493 0 0 0 0' };
}

function parents(path: string): string[] {
  const parts = path.split('/');
  return path === '' ? [] : parts.map((_, count) => parts.slice(0, count).join('/'));
}

function inside(path: string, directory: string): boolean {
  return directory === '' ? path !== '' : path.startsWith(`${directory}/`);
}

function removeInside(keys: { keys(): Iterable<string>; delete(key: string): unknown }, directory: string): void {
  for (const key of [...keys.keys()]) if (inside(key, directory)) keys.delete(key);
}

function resolve(layer: LayerIndex, number: number): Resolved {
  const self: Resolved = {
    nodes: new Map([['', implied()]]),
    whiteouts: new Set(),
    opaques: new Set(),
    links: new Map(),
  };
  for (const entry of layer.entries) {
    for (const parent of parents(entry.path)) {
      if (self.nodes.get(parent)?.kind !== 'directory') self.nodes.set(parent, implied());
    }
    const slash = entry.path.lastIndexOf('/') + 1;
    const name = entry.path.slice(slash);
    const directory = entry.path.slice(0, Math.max(slash - 1, 0));
    if (name === '.wh..wh..opq') self.opaques.add(directory);
    else if (name.startsWith('.wh.')) self.whiteouts.add(entry.path.slice(0, slash) + name.slice(4));
    else place(self, entry, number);
  }
  return self;
}

function place(self: Resolved, entry: LayerEntry, number: number): void {
  const stated = { kind: entry.kind, origin: `${number}:${entry.headerOffset}`, attributes: attributesText(entry) };
  if (entry.kind === 'directory') {
    self.nodes.set(entry.path, stated);
    return;
  }
  let node: OracleNode = stated;
  if (entry.kind === 'hardlink') {
    const target = self.nodes.get(entry.target);
    if (target?.kind === 'directory') throw new OracleRefusal(`${entry.path} links to a directory`);
    if (target === undefined) self.links.set(node, entry.target);
    else node = target;
  }
  removeInside(self.nodes, entry.path);
  removeInside(self.whiteouts, entry.path);
  removeInside(self.opaques, entry.path);
  self.opaques.delete(entry.path);
  self.nodes.set(entry.path, node);
}

function apply(base: OracleTree, upper: Resolved): OracleTree {
  const tree: OracleTree = new Map(base);
  for (const path of upper.whiteouts) {
    tree.delete(path);
    removeInside(tree, path);
  }
  for (const directory of upper.opaques) removeInside(tree, directory);
  const targets = new Map<OracleNode, OracleNode>();
  for (const [link, path] of upper.links) {
    const target = base.get(path);
    if (target === undefined || target.kind === 'directory') throw new OracleRefusal(`nothing to link to at ${path}`);
    targets.set(link, target);
  }
  const byDepth = [...upper.nodes].sort(([left], [right]) => parents(left).length - parents(right).length);
  for (const [path, node] of byDepth) {
    const existing = tree.get(path);
    if (node.kind !== 'directory') {
      removeInside(tree, path);
      tree.set(path, targets.get(node) ?? node);
    } else if (existing?.kind !== 'directory' || node.origin !== '') tree.set(path, node);
  }
  return tree;
}
