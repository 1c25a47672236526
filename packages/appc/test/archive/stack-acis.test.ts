// SPDX-License-Identifier: Apache-2.0
import { type FileTree, mergeLayers, stackAcis, type TreeNode, whitelistedPaths } from '@rkt/appc';
import { describe, expect, it } from 'vitest';
import { appcError } from '../appc-error.ts';
import { archive, file, header, indexOf } from '../tar-fixtures.ts';

const manifest = file('manifest', '{}');

function aci(...parts: readonly Buffer[]) {
  return { diffId: 'sha256:aci', index: indexOf(archive(manifest, ...parts)) };
}

function layer(...parts: readonly Buffer[]) {
  return { diffId: 'sha256:layer', index: indexOf(archive(...parts)) };
}

const link = (name: string, linkname: string): Buffer => header({ name, type: '1', linkname });

function nodes({ root }: FileTree): ReadonlyMap<string, TreeNode> {
  const found = new Map<string, TreeNode>();
  const walk = (node: TreeNode, path: string): void => {
    if (path !== '') found.set(path, node);
    if (node.kind !== 'directory') return;
    for (const [name, child] of node.children) walk(child, path === '' ? name : `${path}/${name}`);
  };
  walk(root, '');
  return found;
}

const alone = { first: 0, position: 0 };

describe('an ACI as a layer', () => {
  it('has the files below rootfs, whatever they are called', () => {
    const tree = mergeLayers(stackAcis([aci(file('rootfs/.wh.a', 'x'), file('rootfs/.wh.d/b'))], [alone]));
    expect([...nodes(tree).keys()].sort()).toEqual(['.wh.a', '.wh.d', '.wh.d/b']);
  });

  it('lies upon layers whose whiteouts are whiteouts', () => {
    const lower = layer(file('a'), file('b'));
    const upper = layer(file('.wh.a'));
    const tree = mergeLayers(stackAcis([lower, upper, aci(file('rootfs/c'))], [{ first: 0, position: 2 }]));
    expect([...nodes(tree).keys()].sort()).toEqual(['b', 'c']);
  });

  it('may have hard links to what is below it', () => {
    const tree = mergeLayers(
      stackAcis([aci(file('rootfs/a', 'x')), aci(link('rootfs/b', 'rootfs/a'))], [alone, { first: 0, position: 1 }]),
    );
    expect(nodes(tree).get('b')).toBe(nodes(tree).get('a'));
  });
});

describe('a path whitelist', () => {
  const shown = (pathWhitelist: readonly string[], ...parts: readonly Buffer[]): ReadonlyMap<string, TreeNode> =>
    nodes(mergeLayers(stackAcis([aci(...parts)], [{ ...alone, pathWhitelist }])));

  it('that is empty hides nothing', () => {
    expect([...shown([], file('rootfs/a')).keys()]).toEqual(['a']);
  });

  it('keeps the very paths it names and the directories they are in', () => {
    const files = [
      file('rootfs/d/a'),
      file('rootfs/d/b'),
      file('rootfs/e/c'),
      header({ name: 'rootfs/f/', type: '5' }),
    ];
    expect([...shown(['/d/a', '/f/'], ...files).keys()].sort()).toEqual(['d', 'd/a', 'f']);
  });

  it('does not keep what is in a directory it names', () => {
    expect([...shown(['/d'], file('rootfs/d/a')).keys()]).toEqual(['d']);
  });

  it('leaves a hard link its content when the name it was made from is not on it', () => {
    const found = shown(['/b'], file('rootfs/a', 'x'), link('rootfs/b', 'rootfs/a'));
    expect([...found]).toMatchObject([['b', { kind: 'file', size: 1 }]]);
  });

  it('names paths in UTF-8', () => {
    expect([...shown(['/é'], file('rootfs/\u00c3\u00a9'), file('rootfs/e')).keys()]).toEqual(['\u00c3\u00a9']);
  });

  it('holds for everything from the lowest dependency to the image', () => {
    const layers = [aci(file('rootfs/a'), file('rootfs/b')), aci(file('rootfs/c')), aci(file('rootfs/d'))];
    const acis = [
      { first: 0, position: 0, pathWhitelist: ['/a', '/b'] },
      { first: 0, position: 1, pathWhitelist: ['/b', '/c'] },
      { first: 2, position: 2, pathWhitelist: ['/a', '/d'] },
    ];
    expect([...nodes(mergeLayers(stackAcis(layers, acis))).keys()].sort()).toEqual(['b', 'c', 'd']);
  });

  it('lets show through what a name that is not on it would hide', () => {
    const layers = [aci(file('rootfs/a', 'low')), aci(file('rootfs/a', 'unlisted'))];
    const acis = [alone, { first: 1, position: 1, pathWhitelist: ['/b'] }];
    expect(nodes(mergeLayers(stackAcis(layers, acis))).get('a')).toMatchObject({ size: 3 });
  });

  it('cannot name what is no path', () => {
    expect(appcError(() => whitelistedPaths(['/../a'])).code).toBe('ERR_RKT_APPC_PATH');
  });
});
