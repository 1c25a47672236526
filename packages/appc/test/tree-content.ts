// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { AciSegment, FileTree, LayerIndex } from '@rkt/appc';
import { aciBytes } from './archive/aci-bytes.ts';
import { attributesText } from './tree/merge-oracle.ts';
import { nodesByPath } from './tree-text.ts';

/** Bytes unlike those of any other offset nearby, so that content from the wrong place shows. */
export function contentOf(index: LayerIndex, layer: number): Buffer {
  return Buffer.from(Array.from({ length: index.size }, (_, at) => (at * 7 + Math.floor(at / 512) + layer * 31) % 251));
}

/** Paths with kind, attributes, content, and which paths are one node. */
export function described(tree: FileTree, tars: readonly Buffer[]): string[] {
  const first = new Map<object, string>();
  return [...nodesByPath(tree)]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, node]) => {
      if (!first.has(node)) first.set(node, path);
      const content = node.kind === 'file' ? aciBytes(extentSegments(node), tars).toString('hex') : '';
      const own = 'target' in node ? node.target : 'major' in node ? `${node.major}:${node.minor}` : content;
      return `${path} ${node.kind} ${attributesText(node.attributes)} ${own} =${first.get(node)}`;
    });
}

function extentSegments(node: {
  origin: { layer: number } | undefined;
  extents: readonly { tarOffset: number; length: number }[];
}): AciSegment[] {
  return node.extents.map(({ tarOffset, length }) => ({
    kind: 'layer',
    layer: node.origin?.layer ?? 0,
    tarOffset,
    length,
  }));
}
