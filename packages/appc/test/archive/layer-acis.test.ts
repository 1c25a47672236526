// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { type LayerIndex, layerAcis, mergeLayers, type StackableLayer, splitAciIndex, stackAcis } from '@rkt/appc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appcError, resultOrCode } from '../appc-error.ts';
import { arbitraryLayers } from '../layer-arbitrary.ts';
import { archive, file, header, indexOf } from '../tar-fixtures.ts';
import { contentOf, described } from '../tree-content.ts';
import { aciBytes } from './aci-bytes.ts';

const manifestBytes = Buffer.from('{"acKind":"ImageManifest"}');

function layersOf(indexes: readonly LayerIndex[]): StackableLayer[] {
  return indexes.map((index, number) => ({ diffId: `sha256:${number}`, index }));
}

/** What every layer's ACI holds, and what the top one lists. */
function listed(...tars: readonly Buffer[]): { readonly acis: readonly string[][]; readonly whitelist: unknown } {
  const acis = layerAcis(layersOf(tars.map((tar) => indexOf(tar))));
  return {
    acis: tars.map((_, at) => {
      const { entries } = splitAciIndex(indexOf(aciBytes(acis.segments(at, manifestBytes), tars))).rootfs;
      return entries.map(({ kind, path }) => `${kind} ${path}`);
    }),
    whitelist: acis.pathWhitelist,
  };
}

const link = (name: string, linkname: string): Buffer => header({ name, type: '1', linkname });

describe('an ACI of each layer', () => {
  it('has what the layer states and no whitelist where nothing is taken away', () => {
    expect(listed(archive(file('etc/a'), file('b')), archive(file('b'), file('.wh..wh.plnk')))).toEqual({
      acis: [
        ['directory ', 'file etc/a', 'file b'],
        ['directory ', 'file b'],
      ],
      whitelist: undefined,
    });
  });

  it('has no whiteouts: the top one lists what is left', () => {
    const layers = [archive(file('d/a'), file('d/b')), archive(file('d/.wh.a')), archive(file('c'))];
    expect(listed(...layers)).toEqual({
      acis: [['directory ', 'file d/a', 'file d/b'], ['directory '], ['directory ', 'file c', 'directory d']],
      whitelist: ['/', '/c', '/d', '/d/b'],
    });
  });

  it('has a copy of a file below it that it links to, with one file for all such links', () => {
    const base = archive(file('a', 'x'));
    expect(listed(base, archive(link('b', 'a'), link('c', 'a'), file('.wh.a'))).acis[1]).toEqual([
      'directory ',
      'file b',
      'hardlink c',
    ]);
  });

  it('is refused where a whitelist would have to name what is no text', () => {
    const layers = layersOf([archive(file('\xff'), file('a')), archive(file('.wh.a'))].map((tar) => indexOf(tar)));
    expect(appcError(() => layerAcis(layers)).code).toBe('ERR_RKT_APPC_PATH');
  });
});

it('makes the tree of the image again when stacked, whatever the layers do', () => {
  let compared = 0;
  fc.assert(
    fc.property(arbitraryLayers, (indexes) => {
      const layers = layersOf(indexes);
      const acis = resultOrCode(() => layerAcis(layers));
      if (typeof acis === 'string') return;
      compared += 1;
      const tars = indexes.map((index, number) => contentOf(index, number));
      const archives = layers.map((_, at) => aciBytes(acis.segments(at, manifestBytes), tars));
      const top = { first: 0, position: layers.length - 1, pathWhitelist: acis.pathWhitelist };
      const spans = layers.map((_, at) => (at === top.position ? top : { first: at, position: at }));
      const stacked = mergeLayers(stackAcis(layersOf(archives.map((bytes) => indexOf(bytes))), spans));
      expect(withoutIdentity(described(stacked, archives))).toEqual(
        withoutIdentity(described(mergeLayers(layers), tars)),
      );
    }),
    { numRuns: 1500 },
  );
  expect(compared).toBeGreaterThan(400);
});

/** A hard link into a lower layer becomes a copy: same content, another file. */
function withoutIdentity(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/ =[^=]*$/, ''));
}
