// SPDX-License-Identifier: Apache-2.0
import {
  type DirectoryNode,
  type EntryAttributes,
  type FileNode,
  overlayTree,
  type TreeNode,
  type UpperDirectory,
  type UpperNode,
} from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodesByPath, pathsOf } from '../tree-text.ts';

const attributes = (uid: number): EntryAttributes => ({ mode: 0o755, uid, gid: 0, mtime: 0, mtimeNanoseconds: 0 });
let nodes = 0;
const origin = (layer: number) => ({ layer, headerOffset: nodes++ });
const file = (layer = 1): FileNode => ({
  kind: 'file',
  attributes: attributes(layer),
  origin: origin(layer),
  size: 0,
  extents: [],
});
const lower = (children: Readonly<Record<string, TreeNode>> = {}): DirectoryNode => ({
  kind: 'directory',
  attributes: attributes(0),
  origin: origin(0),
  children: new Map(Object.entries(children)),
});
const upper = (children: Readonly<Record<string, UpperNode>> = {}, opaque = false): UpperDirectory => ({
  kind: 'directory',
  attributes: attributes(1),
  origin: origin(1),
  opaque,
  children: new Map(Object.entries(children)),
});
const whiteout: UpperNode = { kind: 'whiteout' };
const shown = (below: DirectoryNode, above: UpperDirectory): readonly string[] =>
  pathsOf({ layers: [], root: overlayTree(below, above) });

describe('an overlay', () => {
  it('shows what is below where nothing is above, node for node', () => {
    const below = lower({ etc: lower({ passwd: file(0) }) });
    const root = overlayTree(below, upper());
    expect(root.children.get('etc')).toBe(below.children.get('etc'));
    expect(root).toMatchObject({ attributes: { uid: 1 }, origin: { layer: 1 } });
  });
  it('merges directories, whose attributes are those above', () => {
    const root = overlayTree(lower({ etc: lower({ a: file(0), b: file(0) }) }), upper({ etc: upper({ b: file() }) }));
    const found = nodesByPath({ layers: [], root });
    expect(found.get('etc')?.attributes.uid).toBe(1);
    expect([found.get('etc/a')?.attributes.uid, found.get('etc/b')?.attributes.uid]).toEqual([0, 1]);
  });
  it('hides what is below an opaque directory and nothing beside it', () => {
    const below = lower({ etc: lower({ a: file(0) }), usr: lower({ a: file(0) }) });
    expect(shown(below, upper({ etc: upper({ b: file() }, true) }))).toEqual(['etc', 'etc/b', 'usr', 'usr/a']);
    expect(shown(below, upper({}, true))).toEqual([]);
  });
  it('takes away what a whiteout names, be it there or not', () => {
    const below = lower({ etc: lower({ a: file(0) }), usr: lower({ a: file(0), b: file(0) }) });
    const above = upper({ etc: whiteout, nothing: whiteout, usr: upper({ a: whiteout }) });
    expect(shown(below, above)).toEqual(['usr', 'usr/b']);
  });
  it('puts a directory in the place of a file and a file in that of a directory', () => {
    const below = lower({ a: file(0), b: lower({ c: file(0) }) });
    expect(shown(below, upper({ a: upper({ d: file() }), b: file() }))).toEqual(['a', 'a/d', 'b']);
  });
  it('knows no whiteouts by name', () => {
    const above = upper({ '.wh.a': file(), '.wh..wh..opq': file() });
    expect(shown(lower({ a: file(0) }), above)).toEqual(['.wh..wh..opq', '.wh.a', 'a']);
  });
  it('keeps the other names of a file of which one was changed or removed', () => {
    const linked = file(0);
    const root = overlayTree(lower({ a: linked, b: linked, c: linked }), upper({ a: file(), b: whiteout }));
    expect(root.children.get('c')).toBe(linked);
    expect(root.children.get('a')).not.toBe(linked);
  });
  it('leaves what it is given as it was', () => {
    const below = lower({ etc: lower({ a: file(0) }) });
    overlayTree(below, upper({ etc: upper({ a: whiteout, b: file() }), c: file() }));
    expect(pathsOf({ layers: [], root: below })).toEqual(['etc', 'etc/a']);
  });
});

/** Path by path, as the kernel looks names up: the uppermost that says something of it, unless a parent hides all below. */
function lookUp(below: DirectoryNode, above: UpperDirectory, path: readonly string[]): string {
  let [low, high]: [TreeNode | undefined, UpperNode | undefined] = [below, above];
  for (const name of path) {
    const isHidden = high !== undefined && (high.kind !== 'directory' || high.opaque);
    const next: UpperNode | undefined = high?.kind === 'directory' ? high.children.get(name) : undefined;
    low = low?.kind === 'directory' && !isHidden ? low.children.get(name) : undefined;
    if (next !== undefined && (next.kind !== 'directory' || low?.kind !== 'directory')) low = undefined;
    high = next;
  }
  const node = high ?? low;
  return node === undefined || node.kind === 'whiteout' ? 'nothing' : `${node.kind} of ${node.attributes.uid}`;
}

const name = fc.constantFrom('a', 'b');
const { lowers } = fc.letrec<{ lowers: DirectoryNode }>((tie) => ({
  lowers: fc
    .dictionary(name, fc.oneof({ maxDepth: 3 }, fc.constant(file(0)), tie('lowers')), { noNullPrototype: true })
    .map((children) => lower(children)),
}));
const { uppers } = fc.letrec<{ uppers: UpperDirectory }>((tie) => ({
  uppers: fc
    .tuple(
      fc.dictionary(name, fc.oneof({ maxDepth: 3 }, fc.constant(file()), fc.constant(whiteout), tie('uppers')), {
        noNullPrototype: true,
      }),
      fc.boolean(),
    )
    .map(([children, opaque]) => upper(children, opaque)),
}));

it('is what looking every name up gives', () => {
  fc.assert(
    fc.property(lowers, uppers, (below, above) => {
      const found = nodesByPath({ layers: [], root: overlayTree(below, above) });
      const paths = [[]] as string[][];
      for (let depth = 0; depth < 4; depth += 1)
        paths.push(
          ...paths.flatMap((path) => [
            [...path, 'a'],
            [...path, 'b'],
          ]),
        );
      for (const path of paths) {
        const node = found.get(path.join('/'));
        expect(node === undefined ? 'nothing' : `${node.kind} of ${node.attributes.uid}`).toBe(
          lookUp(below, above, path),
        );
      }
    }),
  );
});
