// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schema1Config } from '../../src/image/schema1-config.ts';
import { isRegistryError, parseImageConfig, parseManifest, type Schema1Manifest } from '../../src/index.ts';
import { registryError } from '../registry-error.ts';

const JSON_TYPE = 'application/vnd.docker.distribution.manifest.v1+json';
const SIGNED_TYPE = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const EMPTY = 'sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4';
const id = (n: number): string => n.toString(16).padStart(64, '0');
const blob = (n: number): `sha256:${string}` => `sha256:${id(n)}`;

type Entry = Readonly<Record<string, unknown>>;
type Document = Readonly<Record<string, unknown>>;

const top: Entry = {
  id: id(3),
  parent: id(2),
  created: '2015-06-01T00:00:00Z',
  author: 'zanui',
  architecture: 'amd64',
  os: 'linux',
  docker_version: '1.6.0',
  container: 'ab',
  container_config: { Cmd: ['/bin/sh', '-c', '#(nop) CMD ["nginx"]'] },
  config: { Cmd: ['nginx'], Env: ['A=b'], Hostname: 'ab', Volumes: { '/data': {} } },
  Size: 0,
};
const middle: Entry = { id: id(2), parent: id(1), throwaway: true, comment: 'nothing', author: '' };
const base: Entry = { id: id(1), created: '2015-05-01T00:00:00Z', container_config: { Cmd: 'ADD' } };

/** Top first, as the format wants it. */
function documentOf(entries: readonly (Entry | string)[], changes: Document = {}): Document {
  return {
    schemaVersion: 1,
    name: 'zanui/nginx',
    tag: 'latest',
    architecture: 'amd64',
    fsLayers: entries.map((_, index) => ({ blobSum: blob(entries.length - index) })),
    history: entries.map((entry) => ({ v1Compatibility: typeof entry === 'string' ? entry : JSON.stringify(entry) })),
    ...changes,
  };
}

function parse(document: unknown, mediaType: string | undefined = SIGNED_TYPE): Schema1Manifest {
  const manifest = parseManifest(new TextEncoder().encode(JSON.stringify(document)), { reference: 'r', mediaType });
  if (manifest.kind !== 'schema1') throw new Error(`expected schema 1, got ${manifest.kind}`);
  return manifest;
}

function configOf(manifest: Schema1Manifest): unknown {
  return JSON.parse(Buffer.from(schema1Config(manifest, manifest.blobSums)).toString());
}

describe('a schema 1 manifest', () => {
  it('is read base first, without the blobs of what was thrown away', () => {
    const manifest = parse(documentOf([top, middle, base]));
    expect(manifest.mediaType).toBe(SIGNED_TYPE);
    expect(manifest.blobSums).toEqual([blob(1), blob(3)]);
    expect(manifest.history.map((entry) => [entry.id, entry.parent, entry.throwaway, entry.createdBy])).toEqual([
      [id(1), undefined, false, 'ADD'],
      [id(2), id(1), true, undefined],
      [id(3), id(2), false, '/bin/sh -c #(nop) CMD ["nginx"]'],
    ]);
  });

  it('is known by its version where the server of a file says nothing', () => {
    for (const type of ['', 'text/plain', 'application/json; charset=utf-8', 'application/octet-stream']) {
      expect(parse(documentOf([base]), type).mediaType).toBe(JSON_TYPE);
    }
  });

  it('may have an empty layer that is not thrown away, as often as it likes', () => {
    const steps = [top, { ...middle, throwaway: undefined }, base];
    const fsLayers = steps.map(() => ({ blobSum: EMPTY }));
    expect(parse(documentOf(steps, { fsLayers })).blobSums).toEqual([EMPTY, EMPTY, EMPTY]);
  });

  it('may have an entry twice in a row, of which the lowest counts', () => {
    const twice = [top, { ...middle, comment: 'upper', parent: id(2) }, middle, base];
    const manifest = parse(documentOf(twice));
    expect(manifest.history.map(({ comment }) => comment)).toEqual([undefined, 'nothing', undefined]);
    expect(manifest.blobSums).toEqual([blob(1), blob(4)]);
  });

  it('may have been copied from another name', () => {
    expect(parse(documentOf([base], { name: 'library/other', tag: 'v2' })).blobSums).toEqual([blob(1)]);
    expect(parse(documentOf([base], { name: null, tag: undefined })).blobSums).toEqual([blob(1)]);
  });

  const refused: readonly (readonly [string, Document, RegExp])[] = [
    [
      'fewer entries of history',
      documentOf([top, middle, base], { history: [{ v1Compatibility: '{}' }] }),
      /3 fsLayers and 1/,
    ],
    ['fewer layers', documentOf([top, middle, base], { fsLayers: [{ blobSum: blob(1) }] }), /1 fsLayers and 3/],
    ['no layers', documentOf([]), /no fsLayers/],
    ['no history', documentOf([base], { history: null }), /history: expected an array/],
    ['layers of another kind', documentOf([base], { fsLayers: {} }), /fsLayers: expected an array/],
    ['a layer of another kind', documentOf([base], { fsLayers: ['x'] }), /fsLayers\[0\]: expected an object/],
    ['a blob without a digest', documentOf([base], { fsLayers: [{}] }), /blobSum: expected/],
    [
      'a traversal for a digest',
      documentOf([base], { fsLayers: [{ blobSum: 'sha256:../../x' }] }),
      /blobSum: expected/,
    ],
    ['a digest of old', documentOf([base], { fsLayers: [{ blobSum: `tarsum.v1+${blob(1)}` }] }), /blobSum: expected/],
    [
      'an entry of another kind',
      documentOf([base], { history: [{ v1Compatibility: {} }] }),
      /v1Compatibility: expected/,
    ],
    ['an entry that is no JSON', documentOf(['{"id":']), /history\[0\]\.v1Compatibility: it is no JSON/],
    ['an entry that is a list', documentOf(['[]']), /v1Compatibility: it is an array and no JSON object/],
    ['no ID', documentOf([{}]), /id: expected a string/],
    ['an ID that is not hex', documentOf([{ id: 'g'.repeat(64) }]), /64 hex digits/],
    ['an ID in upper case', documentOf([{ id: 'A'.repeat(64) }]), /64 hex digits/],
    ['a short ID', documentOf([{ id: 'ab' }]), /64 hex digits/],
    ['a parent that is no ID', documentOf([{ ...top, parent: '../x' }, base]), /parent: expected 64 hex digits/],
    ['another parent', documentOf([{ ...top, parent: id(9) }, base]), /expected the parent 0+1, got 0+9/],
    ['a missing parent', documentOf([{ ...top, parent: undefined }, base]), /expected the parent 0+1, got none/],
    ['a parent below the base', documentOf([{ ...base, parent: id(9) }]), /expected the parent none, got 0+9/],
    ['an ID in two places', documentOf([{ ...base, parent: id(2) }, middle, base]), /in several places/],
    ['throwaway of another kind', documentOf([{ ...base, throwaway: 'yes' }]), /throwaway: expected a boolean/],
    ['a command of numbers', documentOf([{ ...base, container_config: { Cmd: [1] } }]), /Cmd\[0\]: expected a string/],
    ['a name of another kind', documentOf([base], { name: {} }), /name: expected a string/],
    ['a tag of another kind', documentOf([base], { tag: 1 }), /tag: expected a string/],
    ['signatures in what was signed', documentOf([base], { signatures: [] }), /signatures itself/],
    ['layers of today', documentOf([base], { layers: [] }), /at once/],
    ['a configuration of today', documentOf([base], { config: {} }), /at once/],
    ['an index inside', documentOf([base], { manifests: [] }), /at once/],
    ['another schema version', documentOf([base], { schemaVersion: 2 }), /schemaVersion is not 1/],
    [
      'a type of today inside',
      documentOf([base], { mediaType: 'application/vnd.oci.image.manifest.v1+json' }),
      /announced/,
    ],
    [
      'an entry that nests deeply',
      documentOf([`{"id":"${id(1)}","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`]),
      /nested deeper than 32/,
    ],
    ['a long entry', documentOf([`{"id":"${id(1)}","x":"${'x'.repeat(1 << 20)}"}`]), /more than 1048576 characters/],
    ['too much history', documentOf(Array.from({ length: 1025 }, () => ({}))), /1025 entries, more than 1024/],
    [
      'too many layers',
      documentOf(Array.from({ length: 513 }, (_, n) => ({ id: id(600 - n), parent: n === 512 ? '' : id(599 - n) }))),
      /513 layers, more than 512/,
    ],
  ];
  it.each(refused)('with %s is refused', async (_name, document, text) => {
    const error = await registryError(() => parse(document));
    expect(error.code).toBe('ERR_RKT_REGISTRY_MANIFEST_INVALID');
    expect(error.message).toMatch(text);
    expect(error.message.length).toBeLessThan(400);
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  it('is read or refused whatever its entries are', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.json(), fc.string()), { maxLength: 3 }), fc.jsonValue(), (texts, layer) => {
        const fsLayers = texts.map(() => layer);
        const history = texts.map((v1Compatibility) => ({ v1Compatibility }));
        try {
          parse({ schemaVersion: 1, fsLayers, history });
        } catch (error) {
          expect(isRegistryError(error)).toBe(true);
        }
      }),
    );
  });
});

describe('the configuration of a schema 1 image', () => {
  it('is that of the top entry, with all history and without its build', () => {
    expect(configOf(parse(documentOf([top, middle, base])))).toEqual({
      architecture: 'amd64',
      os: 'linux',
      created: '2015-06-01T00:00:00Z',
      author: 'zanui',
      config: { Cmd: ['nginx'], Env: ['A=b'], Hostname: 'ab', Volumes: { '/data': {} } },
      rootfs: { type: 'layers', diff_ids: [blob(1), blob(3)] },
      history: [
        { created: '2015-05-01T00:00:00Z', created_by: 'ADD' },
        { comment: 'nothing', empty_layer: true },
        { created: '2015-06-01T00:00:00Z', created_by: '/bin/sh -c #(nop) CMD ["nginx"]', author: 'zanui' },
      ],
    });
  });

  it.each([
    ['the entry', { architecture: 'arm64', os: 'freebsd' }, { architecture: 's390x' }, 'freebsd/arm64'],
    ['the manifest', { architecture: '' }, { architecture: 's390x' }, 'linux/s390x'],
    ['their time', {}, { architecture: undefined }, 'linux/amd64'],
    ['their time, when empty', { architecture: '', os: '' }, { architecture: '' }, 'linux/amd64'],
    ['uname', { architecture: 'x86_64' }, {}, 'linux/amd64'],
  ])('has the platform of %s', (_name, entry, changes, platform) => {
    const [os, architecture] = platform.split('/');
    expect(configOf(parse(documentOf([{ id: id(1), ...entry }], changes)))).toMatchObject({ os, architecture });
  });

  it.each([
    ['platform', { architecture: {} }],
    ['operating system', { os: ['linux'] }],
    ['environment', { config: { Env: [1] } }],
  ])('that has a %s of another kind is refused as any', async (_name, entry) => {
    const manifest = parse(documentOf([{ id: id(1), ...entry }]));
    const platform = { os: 'linux', architecture: 'amd64' };
    const bytes = schema1Config(manifest, manifest.blobSums);
    const error = await registryError(() => parseImageConfig(bytes, { reference: 'r', layerCount: 1, platform }));
    expect(error.code).toBe('ERR_RKT_REGISTRY_CONFIG_INVALID');
  });
});
