// SPDX-License-Identifier: Apache-2.0
import type { Buffer } from 'node:buffer';
import { type FileTree, type IndexedLayer, type LayerEntry, type LayerIndex, mergeLayers } from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appcError, resultOrCode } from '../appc-error.ts';
import { arbitraryLayers } from '../layer-arbitrary.ts';
import { archive, file, header, indexOf } from '../tar-fixtures.ts';
import { nodesByPath, pathsOf } from '../tree-text.ts';
import { attributesText, OracleRefusal, oracleMerge } from './merge-oracle.ts';

const directory = (name: string, mode = '0000755\0'): Buffer => header({ name: `${name}/`, type: '5', mode });
const hardlink = (name: string, linkname: string): Buffer => header({ name, type: '1', linkname });
const symlink = (name: string, linkname: string): Buffer => header({ name, type: '2', linkname });

/** Layers, base first, each a list of archive parts. */
function merged(...layers: readonly (readonly Buffer[])[]): FileTree {
  return mergeLayers(
    layers.map((parts, number) => ({ diffId: `sha256:${number}`, index: indexOf(archive(...parts)) })),
  );
}

describe('one layer', () => {
  it('has what it states and implies the parents', () => {
    const tree = merged([file('a/b/c', 'x')]);
    expect(pathsOf(tree)).toEqual(['a', 'a/b', 'a/b/c']);
    const nodes = nodesByPath(tree);
    expect(nodes.get('a')).toMatchObject({ origin: undefined, attributes: { mode: 0o755, uid: 0, mtime: 0 } });
    expect(nodes.get('a/b/c')).toMatchObject({ kind: 'file', size: 1, origin: { layer: 0, headerOffset: 0 } });
  });
  it('takes attributes of the root from an entry for it', () => {
    expect(merged([header({ name: './', type: '5', mode: '0000700\0' })]).root.attributes.mode).toBe(0o700);
  });
  it('keeps the last entry of a name', () => {
    const tree = merged([
      file('a', 'one'),
      file('a', 'three'),
      file('d', 'x'),
      directory('d'),
      file('e/f', 'x'),
      file('e', ''),
    ]);
    expect(nodesByPath(tree).get('a')).toMatchObject({ size: 5 });
    expect(pathsOf(tree)).toEqual(['a', 'd', 'e']);
    expect(nodesByPath(tree).get('d')?.kind).toBe('directory');
  });
  it('keeps the content of a directory stated again', () => {
    const tree = merged([directory('d'), file('d/x'), directory('d', '0000700\0')]);
    expect(pathsOf(tree)).toEqual(['d', 'd/x']);
    expect(nodesByPath(tree).get('d')?.attributes.mode).toBe(0o700);
  });
  it('never writes through a symbolic link: a directory takes its place', () => {
    const tree = merged([symlink('etc', '/'), file('etc/passwd', 'x'), file('etc/shadow', 'y')]);
    expect(pathsOf(tree)).toEqual(['etc', 'etc/passwd', 'etc/shadow']);
  });
  it('puts a later file in a directory that was replaced and made again', () => {
    expect(pathsOf(merged([file('d/x'), symlink('d', 't'), file('d/y')]))).toEqual(['d', 'd/y']);
  });
  it('makes hard links one node, also of links to links', () => {
    const nodes = nodesByPath(merged([file('a', 'x'), hardlink('b', 'a'), hardlink('c', 'b')]));
    expect(nodes.get('b')).toBe(nodes.get('a'));
    expect(nodes.get('c')).toBe(nodes.get('a'));
  });
  it('lets a hard link keep the file its target was then', () => {
    const nodes = nodesByPath(merged([file('a', 'old'), hardlink('b', 'a'), file('a', 'newer')]));
    expect(nodes.get('b')).toMatchObject({ size: 3 });
    expect(nodes.get('a')).toMatchObject({ size: 5 });
  });
});

describe('whiteouts', () => {
  it('remove files and directories of lower layers only', () => {
    const base = [file('a'), file('d/x'), file('keep')];
    expect(pathsOf(merged(base, [file('.wh.a'), file('.wh.d')]))).toEqual(['keep']);
  });
  it('leave alone what their own layer has, wherever they stand in it', () => {
    for (const top of [
      [file('.wh.a'), file('a', 'new')],
      [file('a', 'new'), file('.wh.a')],
    ]) {
      expect(nodesByPath(merged([file('a')], top)).get('a')).toMatchObject({ size: 3 });
    }
  });
  it('make a directory made anew in their layer start empty and with its own attributes', () => {
    const tree = merged([directory('d', '0000711\0'), file('d/old')], [file('.wh.d'), file('d/new')]);
    expect(pathsOf(tree)).toEqual(['d', 'd/new']);
    expect(nodesByPath(tree).get('d')).toMatchObject({ origin: undefined, attributes: { mode: 0o755 } });
  });
  it('reach through layers that say nothing of the name, and stop at those that make it again', () => {
    const layers = [[file('d/0')], [file('d/1')], [file('.wh.d')], [file('d/3')], [file('e')]];
    expect(pathsOf(merged(...layers))).toEqual(['d', 'd/3', 'e']);
  });
  it('of names that do not exist do nothing', () => {
    expect(pathsOf(merged([file('a')], [file('.wh.zzz')]))).toEqual(['a']);
  });
  it('of whiteouts remove the file whose name they spell', () => {
    expect(pathsOf(merged([file('a')], [file('.wh.a')], [file('.wh..wh.a')]))).toEqual([]);
  });
  it.each(['.wh.', '.wh..', '.wh...', 'd/.wh.', 'd/.wh..', 'd/.wh...'])('named %s are refused', (name) => {
    expect(appcError(() => merged([file('d/x')], [file(name)]))).toMatchObject({
      code: 'ERR_RKT_APPC_WHITEOUT',
      path: name,
    });
  });
  it('used as a directory are refused', () => {
    expect(appcError(() => merged([file('.wh.a/b')])).code).toBe('ERR_RKT_APPC_WHITEOUT');
  });
});

describe('opaque markers', () => {
  it('hide what lower layers have in the directory and keep what their own layer has', () => {
    for (const top of [
      [file('d/.wh..wh..opq'), file('d/new')],
      [file('d/new'), file('d/.wh..wh..opq')],
    ]) {
      expect(pathsOf(merged([file('d/old'), file('d/sub/x')], top))).toEqual(['d', 'd/new']);
    }
  });
  it('keep the attributes of a directory their layer does not state', () => {
    const tree = merged([directory('d', '0000711\0'), file('d/old')], [file('d/.wh..wh..opq')]);
    expect(nodesByPath(tree).get('d')?.attributes.mode).toBe(0o711);
  });
  it('at the root hide all', () => {
    expect(pathsOf(merged([file('a/b'), file('c')], [file('.wh..wh..opq'), file('d')]))).toEqual(['d']);
  });
  it('do not keep attributes from directories below that they hide', () => {
    const tree = merged([directory('d/sub', '0000711\0')], [file('d/.wh..wh..opq'), file('d/sub/x')]);
    expect(nodesByPath(tree).get('d/sub')?.attributes.mode).toBe(0o755);
  });
});

it('skips the bookkeeping of AUFS and what is in it', () => {
  const tree = merged([
    file('.wh..wh.aufs'),
    directory('.wh..wh.plnk'),
    file('.wh..wh.plnk/1.2', 'x'),
    file('d/.wh..wh.orph/y'),
    file('a'),
  ]);
  expect(pathsOf(tree)).toEqual(['a']);
});

describe('layers upon each other', () => {
  it('merge directories with the attributes of the topmost layer that states them', () => {
    const tree = merged([directory('d', '0000711\0'), file('d/a')], [directory('d', '0000700\0')], [file('d/b')]);
    expect(pathsOf(tree)).toEqual(['d', 'd/a', 'd/b']);
    expect(nodesByPath(tree).get('d')).toMatchObject({
      attributes: { mode: 0o700 },
      origin: { layer: 1, headerOffset: 0 },
    });
  });
  it('let a file hide a directory and a directory a file', () => {
    expect(pathsOf(merged([file('a/x'), file('b')], [file('a'), file('b/y')]))).toEqual(['a', 'b', 'b/y']);
  });
  it('show nothing through a file between two directories', () => {
    const tree = merged([directory('a', '0000711\0'), file('a/base')], [file('a')], [file('a/top')]);
    expect(pathsOf(tree)).toEqual(['a', 'a/top']);
    expect(nodesByPath(tree).get('a')?.attributes.mode).toBe(0o755);
  });
  it('are listed base first', () => {
    expect(merged([], [file('a', 'x')]).layers).toEqual([
      { diffId: 'sha256:0', size: 1024 },
      { diffId: 'sha256:1', size: 2048 },
    ]);
    expect(mergeLayers([])).toMatchObject({ layers: [], root: { kind: 'directory', origin: undefined } });
  });
});

describe('hard links to lower layers', () => {
  it('are the same node', () => {
    const nodes = nodesByPath(merged([file('d/a', 'x')], [], [hardlink('b', 'd/a')]));
    expect(nodes.get('b')).toBe(nodes.get('d/a'));
    expect(nodes.get('b')?.origin).toEqual({ layer: 0, headerOffset: 0 });
  });
  it('outlive the removal of their target in their own layer and in a higher one', () => {
    expect(pathsOf(merged([file('a', 'x')], [file('.wh.a'), hardlink('b', 'a')]))).toEqual(['b']);
    expect(pathsOf(merged([file('d/a', 'x')], [hardlink('b', 'd/a')], [file('.wh.d')]))).toEqual(['b']);
  });
  it('mean the file below, also when their layer replaces it later', () => {
    const nodes = nodesByPath(merged([file('a', 'old')], [hardlink('b', 'a'), file('a', 'newer')]));
    expect(nodes.get('b')).toMatchObject({ size: 3 });
  });
  it('go through links that are links themselves', () => {
    const nodes = nodesByPath(
      merged([file('a', 'x')], [hardlink('b', 'a'), file('.wh.a')], [hardlink('c', 'b'), file('.wh.b')]),
    );
    expect([...nodes.keys()]).toEqual(['', 'c']);
    expect(nodes.get('c')).toMatchObject({ size: 1, origin: { layer: 0 } });
  });
  it.each<[string, readonly (readonly Buffer[])[]]>([
    ['nothing has', [[file('x')], [hardlink('b', 'gone')]]],
    ['was whited out between', [[file('gone')], [file('.wh.gone')], [hardlink('b', 'gone')]]],
    ['is in an opaque directory', [[file('d/gone')], [file('d/.wh..wh..opq')], [hardlink('b', 'd/gone')]]],
    ['would be in a file', [[file('d/gone')], [file('d')], [hardlink('b', 'd/gone')]]],
    ['only a higher layer has', [[], [hardlink('b', 'gone')], [file('gone')]]],
    ['is a directory', [[file('d/gone')], [hardlink('b', 'd')]]],
    ['is a directory of its own layer', [[file('d/gone'), hardlink('b', 'd')]]],
  ])('are refused for a target that %s, naming both', (_what, layers) => {
    const error = appcError(() => merged(...layers));
    expect(error).toMatchObject({ code: 'ERR_RKT_APPC_HARDLINK', path: 'b' });
    expect(error.message).toMatch(/"b".*"(gone|d\/gone|d)"/);
  });
});

describe('depth', () => {
  const deep = (levels: number): LayerIndex => {
    const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };
    return { size: 1024, entries: [{ kind: 'fifo', path: `${'d/'.repeat(levels)}x`, headerOffset: 0, ...attributes }] };
  };
  it('of 2048 directories is merged, more is refused', () => {
    const layer = { diffId: 'sha256:0', index: deep(2048) };
    expect(mergeLayers([layer, layer]).root.children.size).toBe(1);
    expect(appcError(() => mergeLayers([{ diffId: 'sha256:0', index: deep(10_000) }])).code).toBe('ERR_RKT_APPC_PATH');
  });
});

it('seeks deep targets of hard links in many layers without reading them again for each', () => {
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };
  const entries = Array.from({ length: 5000 }, (_, at): LayerEntry => {
    const target = `${at}/${'d/'.repeat(1900)}x`;
    return { ...attributes, kind: 'hardlink', path: `l${at}`, target, headerOffset: at * 512 };
  });
  const links: IndexedLayer = { diffId: 'sha256:0', index: { size: entries.length * 512, entries } };
  const empty: IndexedLayer = { diffId: 'sha256:1', index: { size: 1024, entries: [] } };
  const start = performance.now();
  expect(appcError(() => mergeLayers([...new Array(60).fill(empty), links])).code).toBe('ERR_RKT_APPC_HARDLINK');
  expect(performance.now() - start).toBeLessThan(2000);
});

describe('directories nobody states', () => {
  const bushy = (from: number, to: number, last: 'file' | 'directory' = 'file'): IndexedLayer => {
    const attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNanoseconds: 0 };
    const paths = Array.from({ length: to - from }, (_, at) => `${from + at}/${'d/'.repeat(999)}x`);
    const stated = paths.flatMap((path) => {
      const parents = path.split('/').map((_, count, parts) => parts.slice(0, count + 1).join('/'));
      return last === 'file' ? [path] : [path, ...parents.slice(0, -1)];
    });
    const entries = stated.map((path, at): LayerEntry => {
      const base = { ...attributes, path, headerOffset: at * 512 };
      return last === 'directory' ? { ...base, kind: 'directory' } : { ...base, kind: 'fifo' };
    });
    return { diffId: 'sha256:0', index: { size: entries.length * 512, entries } };
  };

  it('are limited in one layer and in all layers together', () => {
    expect(mergeLayers([bushy(0, 250)]).root.children.size).toBe(250);
    expect(appcError(() => mergeLayers([bushy(0, 251)])).code).toBe('ERR_RKT_APPC_LIMIT');
    expect(appcError(() => mergeLayers([bushy(0, 125), bushy(125, 251)])).code).toBe('ERR_RKT_APPC_LIMIT');
  });
  it('do not count once an entry behind them states them', () => {
    expect(mergeLayers([bushy(1, 251), bushy(0, 1, 'directory')]).root.children.size).toBe(251);
  });
});

it('agrees with a merge from the base up on any layers', () => {
  fc.assert(
    fc.property(arbitraryLayers, (layers) => {
      const tree = resultOrCode(() => mergeLayers(layers.map((index) => ({ diffId: 'sha256:0', index }))));
      const expected = oracleText(layers);
      expect(typeof tree === 'string' ? 'refused' : treeText(tree)).toEqual(expected);
    }),
    { numRuns: 3000 },
  );
});

function oracleText(layers: readonly LayerIndex[]): string[] | 'refused' {
  try {
    return [...oracleMerge(layers)]
      .map(([path, node]) => `${path} ${node.kind} ${node.origin} ${node.attributes}`)
      .sort();
  } catch (error) {
    if (error instanceof OracleRefusal) return 'refused';
    throw error;
  }
}

function treeText(tree: FileTree): string[] {
  const byOrigin = new Map<string, object>();
  const lines: string[] = [];
  for (const [path, node] of nodesByPath(tree)) {
    const origin = node.origin === undefined ? '' : `${node.origin.layer}:${node.origin.headerOffset}`;
    // One origin, one object: what hard links rest on.
    if (origin !== '') expect(byOrigin.get(origin) ?? node).toBe(node);
    byOrigin.set(origin, node);
    lines.push(`${path} ${node.kind} ${origin} ${attributesText(node.attributes)}`);
  }
  return lines.sort();
}
