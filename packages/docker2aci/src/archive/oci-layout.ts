// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Digest, isDigest, type Reference, tryParseReference } from '@rkt/refparse';
import {
  type AbortOptions,
  type ContentProvider,
  type Descriptor,
  type FetchedManifest,
  type Image,
  imageSource,
} from '@rkt/registry';
import type { ConvertibleImage } from '../convert-image.ts';
import { ConversionError, quote } from '../errors.ts';
import { readOrigin } from '../manifest/image-origin.ts';
import { openBlobFile } from './blob-files.ts';
import type { ArchivedImage, ImageArchive, OpenArchiveOptions } from './image-archive.ts';
import { arrayAt, type JsonObject, objectIn, parseJsonObject, stringAt } from './json.ts';
import { blobPath, type LayoutFiles, layoutArchive, layoutDirectory } from './layout-files.ts';
import { indexArchive } from './tar-archive.ts';

const MAX_IMAGES = 10_000;
const REF_NAME = 'org.opencontainers.image.ref.name';
const IMAGE_NAME = 'io.containerd.image.name';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/**
 * The images of an OCI image layout directory (OCI image spec, "Image Layout"). A reference with a digest names a manifest
 * or index by it. Otherwise the tag is looked for in the annotation `org.opencontainers.image.ref.name`, alone or after
 * a name of the repository. A layout with a single entry answers to `latest`, and to every tag if the entry has no name.
 * All blobs are verified as they
 * are read.
 *
 * @throws ConversionError `ARCHIVE_INVALID`, `IO`; (from `open`) `ARCHIVE_IMAGE_NOT_FOUND`, `BLOB_CORRUPT`, and what
 * `imageSource` of `@rkt/registry` throws
 */
export async function openOciLayout(directory: string, options: AbortOptions = {}): Promise<ImageArchive> {
  options.signal?.throwIfAborted();
  return imagesOfLayout(layoutDirectory(directory));
}

/**
 * The same of an uncompressed tar of such a directory, as skopeo and buildah write it. The archive is read through once
 * to find what is where; blobs are then read in place.
 *
 * @throws as {@link openOciLayout}
 */
export async function openOciArchive(path: string, options: OpenArchiveOptions = {}): Promise<ImageArchive> {
  return imagesOfLayout(layoutArchive(await indexArchive(path, options)));
}

/** The images of a layout, wherever its files are. */
export async function imagesOfLayout(files: LayoutFiles): Promise<ImageArchive> {
  const layout = parseJsonObject(await files.read('oci-layout'), 'oci-layout');
  const version = stringAt(layout, 'imageLayoutVersion', 'oci-layout');
  if (!/^1\.\d+\.\d+$/.test(version)) {
    throw new ConversionError(
      'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID',
      `OCI layout ${files.path}: expected version 1, got ${quote(version)}`,
      { path: files.path, actual: version.slice(0, 100) },
    );
  }
  const index = parseJsonObject(await files.read('index.json'), 'index.json');
  const entries = arrayAt(index, 'manifests', { where: 'index.json', max: MAX_IMAGES }).map((entry, at) =>
    toEntry(objectIn(entry, `index.json: manifests[${at}]`), at),
  );
  const images = eachOnce(entries);
  return {
    name: files.path,
    images,
    open: async (reference, { image, ...open } = {}) =>
      withOrigin(await imageSource(provider(files, entries, image)).open(reference, open)),
  };
}

/** Layouts have an entry for every name: containerd, podman and skopeo write them so. */
function eachOnce(entries: readonly Entry[]): readonly ArchivedImage[] {
  const images = new Map<Digest, readonly string[]>();
  for (const { descriptor, names } of entries) {
    images.set(descriptor.digest, [...new Set([...(images.get(descriptor.digest) ?? []), ...names])]);
  }
  return Array.from(images, ([digest, names]) => ({ digest, names }));
}

/** Only what one keeps oneself may say where it is from: an image of a registry is what its registry calls it. */
function withOrigin(image: Image): ConvertibleImage {
  const origin = readOrigin(parseJsonObject(image.manifestBytes, 'manifest')['annotations']);
  return origin === undefined ? image : { ...image, origin };
}

interface Entry {
  readonly descriptor: Descriptor;
  /** Every name the entry goes by. */
  readonly names: readonly string[];
}

function toEntry(object: JsonObject, at: number): Entry {
  const where = `index.json: manifests[${at}]`;
  const digest = stringAt(object, 'digest', where);
  const mediaType = Object.hasOwn(object, 'mediaType') ? stringAt(object, 'mediaType', where) : INDEX_TYPE;
  const { size } = object;
  if (!isDigest(digest) || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', `${where}: expected a digest and a size`);
  }
  const annotations = Object.hasOwn(object, 'annotations') ? objectIn(object['annotations'], where) : {};
  const names = [annotations[REF_NAME], annotations[IMAGE_NAME]].filter((name) => typeof name === 'string');
  return { descriptor: { digest, mediaType, size }, names };
}

function provider(files: LayoutFiles, entries: readonly Entry[], chosen: ArchivedImage | undefined): ContentProvider {
  return {
    getManifest: (reference) => getManifest(files, entries, { reference, chosen }),
    getBlob: async (_reference, target, options) => openBlobFile(target, files.blob(target.digest), options),
  };
}

async function getManifest(
  files: LayoutFiles,
  entries: readonly Entry[],
  { reference, chosen }: { readonly reference: Reference; readonly chosen: ArchivedImage | undefined },
): Promise<FetchedManifest> {
  const digest = reference.digest ?? chosen?.digest ?? findEntry(files, entries, reference).descriptor.digest;
  const bytes = await files.read(blobPath(digest));
  const [algorithm = ''] = digest.split(':');
  const actual = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (actual !== digest) {
    const text = `digest mismatch for a manifest in ${files.path}: expected ${digest}, got ${actual}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_BLOB_CORRUPT', text, { digest, expected: digest, actual });
  }
  const known = entries.find(({ descriptor }) => descriptor.digest === digest)?.descriptor.mediaType;
  const mediaType = statedType(bytes) ?? known ?? 'application/vnd.oci.image.manifest.v1+json';
  return { descriptor: { digest, mediaType, size: bytes.length }, bytes };
}

/** What a manifest says it is; OCI manifests of old need not say it. */
function statedType(bytes: Uint8Array): string | undefined {
  const { mediaType, manifests } = parseJsonObject(bytes, 'manifest');
  if (typeof mediaType === 'string') return mediaType;
  return Array.isArray(manifests) ? INDEX_TYPE : undefined;
}

function findEntry({ path }: LayoutFiles, entries: readonly Entry[], reference: Reference): Entry {
  const tag = reference.tag ?? 'latest';
  const full = `${reference.domain}/${reference.path}:${tag}`;
  const forms = [full, `${reference.path}:${tag}`, `${reference.path.split('/').at(-1)}:${tag}`, tag];
  const exact = forms.map((form) => entries.find(({ names }) => names.includes(form)));
  const named = exact.find((entry) => entry !== undefined) ?? onlyEntry(entries, tag) ?? taggedEntry(entries, tag);
  if (named !== undefined) return named;
  const available = entries.slice(0, 20).map(({ names, descriptor }) => quote(names[0] ?? descriptor.digest));
  const text = `OCI layout ${path} has no image ${quote(tag)}: it has ${available.join(', ') || 'none'}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND', text, { path, expected: tag });
}

/** The one entry with a reference in full that has the tag. */
function taggedEntry(entries: readonly Entry[], tag: string): Entry | undefined {
  const tagged = entries.filter(({ names }) =>
    names.some((name) => tryParseReference(name, { mode: 'strict' })?.tag === tag),
  );
  return tagged.length === 1 ? tagged[0] : undefined;
}

function onlyEntry(entries: readonly Entry[], tag: string): Entry | undefined {
  const [only] = entries;
  return entries.length === 1 && (tag === 'latest' || only?.names.length === 0) ? only : undefined;
}
