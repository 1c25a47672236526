// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest, type Reference } from '@rkt/refparse';
import {
  type AbortOptions,
  type ContentProvider,
  type Descriptor,
  type FetchedManifest,
  type Image,
  type ImageSource,
  imageSource,
} from '@rkt/registry';
import type { ConvertibleImage } from '../convert-image.ts';
import { ConversionError, quote } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import { readOrigin } from '../manifest/image-origin.ts';
import { openBlobFile } from './blob-files.ts';
import { arrayAt, type JsonObject, objectIn, parseJsonObject, stringAt } from './json.ts';

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
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
export async function openOciLayout(directory: string, options: AbortOptions = {}): Promise<ImageSource> {
  options.signal?.throwIfAborted();
  const layout = parseJsonObject(await readDocument(join(directory, 'oci-layout')), 'oci-layout');
  const version = stringAt(layout, 'imageLayoutVersion', 'oci-layout');
  if (!/^1\.\d+\.\d+$/.test(version)) {
    throw new ConversionError(
      'ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID',
      `OCI layout ${directory}: expected version 1, got ${quote(version)}`,
      { path: directory, actual: version.slice(0, 100) },
    );
  }
  const index = parseJsonObject(await readDocument(join(directory, 'index.json')), 'index.json');
  const entries = arrayAt(index, 'manifests', { where: 'index.json', max: MAX_IMAGES }).map((entry, at) =>
    toEntry(objectIn(entry, `index.json: manifests[${at}]`), at),
  );
  const source = imageSource(provider(directory, entries));
  return { open: async (reference, open) => withOrigin(await source.open(reference, open)) };
}

/** Only what one keeps oneself may say where it is from: an image of a registry is what its registry calls it. */
function withOrigin(image: Image): ConvertibleImage {
  const origin = readOrigin(parseJsonObject(image.manifestBytes, 'manifest')['annotations']);
  if (origin === undefined) return image;
  const { repository, manifestDigest } = origin;
  // Asked for by the digest it has here, it is known by the one it had there.
  const digest = image.reference.digest === undefined ? undefined : manifestDigest;
  return { ...image, reference: { ...repository, tag: image.reference.tag, digest }, originalManifest: manifestDigest };
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

function provider(directory: string, entries: readonly Entry[]): ContentProvider {
  return {
    getManifest: (reference) => getManifest(directory, entries, reference),
    getBlob: async (_reference, target, options) =>
      openBlobFile(target, { path: blobPath(directory, target.digest) }, options),
  };
}

async function getManifest(
  directory: string,
  entries: readonly Entry[],
  reference: Reference,
): Promise<FetchedManifest> {
  const digest = reference.digest ?? findEntry(directory, entries, reference).descriptor.digest;
  const bytes = await readDocument(blobPath(directory, digest));
  const [algorithm = ''] = digest.split(':');
  const actual = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (actual !== digest) {
    const text = `digest mismatch for a manifest in ${directory}: expected ${digest}, got ${actual}`;
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

function findEntry(directory: string, entries: readonly Entry[], reference: Reference): Entry {
  const tag = reference.tag ?? 'latest';
  const full = `${reference.domain}/${reference.path}:${tag}`;
  const forms = [full, `${reference.path}:${tag}`, `${reference.path.split('/').at(-1)}:${tag}`, tag];
  const exact = forms.map((form) => entries.find(({ names }) => names.includes(form)));
  const named = exact.find((entry) => entry !== undefined) ?? onlyEntry(entries, tag);
  if (named !== undefined) return named;
  const available = entries.slice(0, 20).map(({ names, descriptor }) => quote(names[0] ?? descriptor.digest));
  const text = `OCI layout ${directory} has no image ${quote(tag)}: it has ${available.join(', ') || 'none'}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND', text, { path: directory, expected: tag });
}

function onlyEntry(entries: readonly Entry[], tag: string): Entry | undefined {
  const [only] = entries;
  return entries.length === 1 && (tag === 'latest' || only?.names.length === 0) ? only : undefined;
}

/** The digest's grammar admits nothing but hex digits after the colon. */
function blobPath(directory: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(directory, 'blobs', algorithm, hex);
}

/** Of a layout somebody else unpacked: what it has under a name may be a device that never ends, or a pipe nobody fills. */
async function readDocument(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw notAFile(path);
    const bytes = Buffer.alloc(MAX_DOCUMENT_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length));
    }
    if (length <= MAX_DOCUMENT_BYTES) return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof ConversionError) throw error;
    throw toIoError(error, 'cannot read', path);
  }
  const text = `${path} is larger than ${MAX_DOCUMENT_BYTES} bytes`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, { path, expected: MAX_DOCUMENT_BYTES });
}

function notAFile(path: string): ConversionError {
  return new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', `${path} is not a regular file`, { path });
}
