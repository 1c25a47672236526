// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRegistryError, parseManifest } from '../../src/index.ts';
import { registryError } from '../registry-error.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json';
const digest = `sha256:${'ab'.repeat(32)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 10 };
const image = { schemaVersion: 2, mediaType: OCI, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: INDEX, manifests: [{ mediaType: OCI, digest, size: 3 }] };

const encode = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document));
const parse = (document: unknown, mediaType?: string) => parseManifest(encode(document), { reference: 'r', mediaType });

describe('parseManifest', () => {
  it.each(['mediaType', 'schemaVersion', 'config', 'layers'])(
    'refuses a deep %s without running out of stack',
    async (name) => {
      const deep = `${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`;
      const rest = Object.entries(image).filter(([key]) => key !== name);
      const text = `{"${name}":${deep},${JSON.stringify(Object.fromEntries(rest)).slice(1)}`;
      const error = await registryError(() =>
        parseManifest(new TextEncoder().encode(text), { reference: 'r', mediaType: undefined }),
      );
      expect(error.code).toBe('ERR_RKT_REGISTRY_MANIFEST_INVALID');
      expect(error.message.length).toBeLessThan(200);
    },
  );

  it('reads images and indices', () => {
    expect(parse(image, OCI)).toEqual({ kind: 'image', mediaType: OCI, config, layers: [layer] });
    expect(parse(index, INDEX)).toEqual({ kind: 'index', mediaType: INDEX, manifests: index.manifests });
  });

  it('takes the type from wherever it is said, and from the content when nobody says it', () => {
    const { mediaType: _, ...silent } = image;
    const { mediaType: __, ...silentIndex } = index;
    expect(parse(image, `${OCI.toUpperCase()}; charset=utf-8`).mediaType).toBe(OCI);
    expect(parse(silent, OCI).kind).toBe('image');
    expect(parse(silentIndex, LIST)).toMatchObject({ kind: 'index', mediaType: LIST });
    expect(parse(silent, 'application/octet-stream').kind).toBe('image');
    expect(parse(silentIndex, undefined).kind).toBe('index');
    expect(parse(image, 'application/json').kind).toBe('image');
  });

  it.each([
    ['announced as an index', image, INDEX],
    ['announced as an image', index, OCI],
    ['both at once (CVE-2021-41190)', { ...image, mediaType: undefined, manifests: index.manifests }, OCI],
    ['both at once, without any type', { ...image, mediaType: undefined, manifests: index.manifests }, undefined],
    ['an image and one of schema 1 at once', { ...image, fsLayers: [] }, OCI],
    ['an image with the history of schema 1', { ...image, history: [] }, OCI],
    ['an index and schema 1 at once', { ...index, mediaType: undefined, fsLayers: [], history: [] }, undefined],
    ['a wrong schema version', { ...image, schemaVersion: 3 }, OCI],
    ['the schema version of another kind', { ...image, schemaVersion: 1 }, OCI],
    ['schema 1 announced as an image', { schemaVersion: 1, fsLayers: [], history: [] }, OCI],
    ['an image announced as schema 1', { ...image, mediaType: undefined }, SCHEMA1],
    ['no layers', { ...image, layers: undefined }, OCI],
    ['layers of another kind', { ...image, layers: {} }, OCI],
    [
      'a traversal in a digest (CVE-2024-3727)',
      { ...image, layers: [{ ...layer, digest: 'sha256:../../etc/passwd' }] },
      OCI,
    ],
    ['an unknown digest algorithm', { ...image, layers: [{ ...layer, digest: `md5:${'a'.repeat(32)}` }] }, OCI],
    ['a negative size', { ...image, layers: [{ ...layer, size: -1 }] }, OCI],
    ['a fractional size', { ...image, layers: [{ ...layer, size: 1.5 }] }, OCI],
    ['a size beyond 2^53', { ...image, layers: [{ ...layer, size: 2 ** 53 }] }, OCI],
    ['a size as text', { ...image, layers: [{ ...layer, size: '10' }] }, OCI],
    ['too many layers', { ...image, layers: Array.from({ length: 513 }, () => layer) }, OCI],
    ['a list', [], OCI],
  ])('refuses %s', async (_name, document, mediaType) => {
    expect((await registryError(() => parse(document, mediaType))).code).toBe('ERR_RKT_REGISTRY_MANIFEST_INVALID');
  });

  it.each([
    [
      'an artifact',
      { ...image, config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } },
      OCI,
      /artifact/,
    ],
    ['an unknown type', { ...image, mediaType: 'application/x-new' }, 'application/x-new', /unknown manifest type/],
    ['a page', { ...image, mediaType: undefined }, 'text/html', /unknown manifest type/],
  ])('says that %s is not supported', async (_name, document, mediaType, text) => {
    const error = await registryError(() => parse(document, mediaType));
    expect(error.code).toBe('ERR_RKT_REGISTRY_UNSUPPORTED_MEDIA_TYPE');
    expect(error.message).toMatch(text);
  });

  it('reads or refuses any document', () => {
    const any = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.constantFrom(2, 1, -1, '', OCI, INDEX, SCHEMA1, digest, '{}', null, true),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'schemaVersion',
            'mediaType',
            'config',
            'layers',
            'manifests',
            'fsLayers',
            'history',
            'blobSum',
            'v1Compatibility',
            'digest',
            'size',
            'platform',
            '__proto__',
          ),
          tie('value'),
        ),
      ),
    })).value;
    fc.assert(
      fc.property(any, fc.constantFrom(OCI, INDEX, SCHEMA1, undefined), (document, mediaType) => {
        try {
          parse(document, mediaType);
        } catch (error) {
          expect(isRegistryError(error)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (raw) => {
        try {
          parseManifest(raw, { reference: 'r', mediaType: OCI });
        } catch (error) {
          expect(isRegistryError(error)).toBe(true);
        }
      }),
    );
  });
});
