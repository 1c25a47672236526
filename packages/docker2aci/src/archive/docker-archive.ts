// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createLayerIndexer, isAppcError, type LayerEntry } from '@rkt/appc';
import { formatReference, formatRepository, isDigest, type Reference, tryParseReference } from '@rkt/refparse';
import {
  type AbortOptions,
  type Descriptor,
  formatPlatform,
  hostPlatform,
  type ImageSource,
  type Layer,
  matchPlatform,
  type OpenImageOptions,
  type Platform,
  parseImageConfig,
} from '@rkt/registry';
import type { ConvertibleImage } from '../convert-image.ts';
import { ConversionError, quote } from '../errors.ts';
import { toIoError } from '../io-error.ts';
import { type ImageOrigin, readOrigin } from '../manifest/image-origin.ts';
import { openBlobFile } from './blob-files.ts';
import { arrayAt, arrayIn, type JsonObject, objectIn, parseJson, stringAt } from './json.ts';

const CHUNK_BYTES = 1024 * 1024;
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const MAX_IMAGES = 10_000;
const MAX_LAYERS = 512;
const MAX_LINKS = 16;
const LAYER_TYPE = 'application/vnd.docker.image.rootfs.diff.tar';
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json';
const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';

/**
 * The images of an archive as `docker save`, `podman save` and skopeo write it (`manifest.json` inside an uncompressed
 * tar). The archive is read through once to find what is where; layers are then read in place. References are matched
 * against `RepoTags`; an archive of a single image also answers to `latest`.
 *
 * @throws ConversionError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `IO`; (from `open`) `ARCHIVE_IMAGE_NOT_FOUND`, `BLOB_CORRUPT`
 */
export async function openDockerArchive(path: string, options: AbortOptions = {}): Promise<ImageSource> {
  const archive = { path, entries: await indexArchive(path, options) };
  const where = `manifest.json of ${path}`;
  const document = parseJson(await readMember(archive, 'manifest.json'), where);
  const images = arrayIn(document, { where, max: MAX_IMAGES }).map((entry) =>
    toSavedImage(objectIn(entry, where), where),
  );
  return {
    open: async (reference, open) => openImage(archive, findImage(archive, images, reference), { reference, ...open }),
  };
}

interface Archive {
  readonly path: string;
  readonly entries: ReadonlyMap<string, LayerEntry>;
}

interface SavedImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
  readonly origin: ImageOrigin | undefined;
}

async function indexArchive(path: string, { signal }: AbortOptions): Promise<ReadonlyMap<string, LayerEntry>> {
  signal?.throwIfAborted();
  const indexer = createLayerIndexer();
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      signal?.throwIfAborted();
      indexer.push(chunk);
    }
    return new Map(indexer.finish().entries.map((entry) => [entry.path, entry]));
  } catch (error) {
    signal?.throwIfAborted();
    if (!isAppcError(error)) throw toIoError(error, 'cannot read', path);
    const text = `${path} is not an archive of images: ${error.message}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', text, { path, cause: error });
  }
}

function toSavedImage(object: JsonObject, where: string): SavedImage {
  const list = (name: string, max: number): readonly string[] =>
    arrayAt(object, name, { where, max }).map((value) => {
      if (typeof value === 'string') return value;
      throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', `${where}: expected strings in ${name}`);
    });
  return {
    config: stringAt(object, 'Config', where),
    tags: list('RepoTags', MAX_IMAGES),
    layers: list('Layers', MAX_LAYERS),
    origin: Object.hasOwn(object, 'annotations') ? readOrigin(object['annotations']) : undefined,
  };
}

function findImage(archive: Archive, images: readonly SavedImage[], reference: Reference): SavedImage {
  const wanted = formatReference({ ...reference, digest: undefined });
  const names = (image: SavedImage): readonly string[] =>
    image.tags.map((tag) => {
      const parsed = tryParseReference(tag);
      return parsed === undefined ? tag : formatReference(parsed);
    });
  const [only] = images;
  const found =
    images.find((image) => names(image).includes(wanted)) ??
    (images.length === 1 && reference.tag === 'latest' ? only : undefined);
  if (found !== undefined) return found;
  const available = images.slice(0, 20).map((image) => quote(image.tags[0] ?? image.config));
  const text = `archive ${archive.path} has no image ${quote(wanted)}: it has ${available.join(', ') || 'none'}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND', text, {
    path: archive.path,
    expected: wanted,
  });
}

interface Opening extends OpenImageOptions {
  readonly reference: Reference;
}

async function openImage(archive: Archive, saved: SavedImage, opening: Opening): Promise<ConvertibleImage> {
  const { platform = hostPlatform() } = opening;
  const { origin } = saved;
  const reference = origin === undefined ? opening.reference : originalReference(saved, origin, opening.reference);
  opening.signal?.throwIfAborted();
  const configBytes = await readMember(archive, saved.config);
  const name = formatReference(reference);
  const config = parseImageConfig(configBytes, { reference: name, layerCount: saved.layers.length, platform });
  if (matchPlatform(config.platform, platform) === undefined) throw otherPlatform(archive, config.platform, platform);
  const layers: Layer[] = [];
  for (const [index, path] of saved.layers.entries()) {
    const diffId = config.diffIds[index];
    if (diffId === undefined) throw new RangeError(`layer ${index} has no diffID`);
    const place = findMember(archive, path);
    const digest = digestOf(path) ?? (await memberDigest(archive, place, { diffId, ...opening }));
    const descriptor = { mediaType: LAYER_TYPE, digest, size: place.size };
    const at = { path: archive.path, offset: place.offset };
    layers.push({ descriptor, diffId, open: async (options) => openBlobFile(descriptor, at, options) });
  }
  const configDescriptor = describe(configBytes, CONFIG_TYPE);
  // The archive has no manifest of its own: the one a registry would have for these very blobs.
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: configDescriptor,
    layers: layers.map((each) => each.descriptor),
  };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = describe(manifestBytes, MANIFEST_TYPE);
  const image = { reference, descriptor, manifestBytes, configDescriptor, configBytes, config, layers };
  return origin === undefined ? image : { ...image, originalManifest: origin.manifestDigest };
}

/** The name an exported image had, if the archive tells; one that was asked for without a name is known by this. */
function originalReference(saved: SavedImage, { repository }: ImageOrigin, asked: Reference): Reference {
  const name = formatRepository(repository);
  const tagged = saved.tags.map((tag) => tryParseReference(tag)).filter((tag) => tag !== undefined);
  const own = tagged.find((tag) => formatRepository(tag) === name);
  return {
    ...repository,
    tag: formatRepository(asked) === name ? asked.tag : (own?.tag ?? asked.tag),
    digest: undefined,
  };
}

function otherPlatform(archive: Archive, has: Platform, wanted: Platform): ConversionError {
  const expected = formatPlatform(wanted);
  const actual = formatPlatform(has).slice(0, 200);
  const text = `image in ${archive.path} is for another platform: expected ${quote(expected)}, got ${quote(actual)}`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND', text, {
    path: archive.path,
    expected,
    actual,
  });
}

/** Newer archives name blobs by digest. */
function digestOf(path: string): Descriptor['digest'] | undefined {
  const [, algorithm, hex] = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(path) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : undefined;
}

/** The gzip magic. Of the compressions, only this is found in archives that do not name blobs by digest. */
const GZIP = [0x1f, 0x8b];

/**
 * In older archives a layer is its tar, so its digest is the diffID. Those of crane, ko, kaniko and jib have it gzipped
 * under a name of their own: nothing states that digest, and the diffID says in the end whether the bytes were right.
 */
async function memberDigest(
  archive: Archive,
  { offset, size }: Member,
  { diffId, signal }: { readonly diffId: Descriptor['digest']; readonly signal?: AbortSignal },
): Promise<Descriptor['digest']> {
  if (size < GZIP.length) return diffId;
  const hash = createHash('sha256');
  const range = { start: offset, end: offset + size - 1, highWaterMark: CHUNK_BYTES };
  let isFirst = true;
  try {
    for await (const chunk of createReadStream(archive.path, range)) {
      signal?.throwIfAborted();
      if (isFirst && GZIP.some((byte, at) => chunk[at] !== byte)) return diffId;
      isFirst = false;
      hash.update(chunk);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw toIoError(error, 'cannot read', archive.path);
  }
  return `sha256:${hash.digest('hex')}`;
}

function describe(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length };
}

interface Member {
  readonly offset: number;
  readonly size: number;
}

/** Finds a file, through the symbolic and hard links that archives use for layers they have twice. */
function findMember(archive: Archive, path: string): Member {
  let current = path;
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    const entry = archive.entries.get(current);
    if (entry?.kind === 'symlink') current = resolveLink(current, entry.target);
    else if (entry?.kind === 'hardlink') current = entry.target;
    else if (entry?.kind === 'file' && entry.extents.length <= 1) {
      return { offset: entry.extents[0]?.tarOffset ?? 0, size: entry.size };
    } else break;
  }
  const text = `archive ${archive.path} has no file ${quote(path)}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', text, { path: archive.path });
}

/** Inside the archive: there is nothing else a link could lead to. */
function resolveLink(from: string, target: string): string {
  const components = target.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const component of target.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  return components.join('/');
}

async function readMember(archive: Archive, name: string): Promise<Uint8Array> {
  const { offset, size } = findMember(archive, name);
  if (size > MAX_DOCUMENT_BYTES) {
    const text = `${quote(name)} in ${archive.path} has ${size} bytes, more than ${MAX_DOCUMENT_BYTES}`;
    throw new ConversionError('ERR_RKT_DOCKER2ACI_LIMIT_EXCEEDED', text, {
      expected: MAX_DOCUMENT_BYTES,
      actual: size,
    });
  }
  try {
    await using file = await open(archive.path);
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, offset);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    throw toIoError(error, 'cannot read', archive.path);
  }
}
