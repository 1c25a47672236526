// SPDX-License-Identifier: Apache-2.0
import { formatReference, isDigest, type Reference, tryParseReference } from '@rkt/refparse';
import {
  type Descriptor,
  formatPlatform,
  hostPlatform,
  matchPlatform,
  type OpenImageOptions,
  type Platform,
  parseImageConfig,
} from '@rkt/registry';
import type { ConvertibleImage } from '../convert-image.ts';
import { ConversionError, quote } from '../errors.ts';
import { readOrigin } from '../manifest/image-origin.ts';
import type { ImageArchive, OpenArchiveOptions } from './image-archive.ts';
import { type FileLayer, imageOfFiles } from './image-of-files.ts';
import { arrayAt, arrayIn, type JsonObject, objectIn, parseJson, stringAt } from './json.ts';
import { legacyImages } from './legacy-archive.ts';
import { MAX_IMAGES, MAX_LAYERS, type SavedImage } from './saved-image.ts';
import {
  findMember,
  hashMember,
  indexArchive,
  type Member,
  readMember,
  readStart,
  type TarArchive,
} from './tar-archive.ts';

/**
 * The images of an archive as `docker save`, `podman save` and skopeo write it (`manifest.json` inside an uncompressed
 * tar; `repositories` where Docker was older than 1.10). The archive is read through once to find what is where; layers are then read in place. References are matched
 * against `RepoTags`; an archive of a single image also answers to `latest`.
 *
 * @throws ConversionError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `IO`; (from `open`) `ARCHIVE_IMAGE_NOT_FOUND`, `BLOB_CORRUPT`
 */
export async function openDockerArchive(path: string, options: OpenArchiveOptions = {}): Promise<ImageArchive> {
  return imagesOf(await indexArchive(path, options));
}

/** The images of an archive that has been read through. */
export async function imagesOf(archive: TarArchive): Promise<ImageArchive> {
  const isLegacy = !archive.entries.has('manifest.json') && archive.entries.has('repositories');
  const images = await (isLegacy ? legacyImages(archive) : savedImages(archive));
  const listed = images.map(({ tags }) => ({ names: tags }));
  return {
    name: archive.name,
    images: listed,
    open: async (reference, { image, ...open } = {}) => {
      const chosen = image === undefined ? undefined : images[listed.indexOf(image)];
      return await openImage(archive, chosen ?? findImage(archive, images, reference), { reference, ...open });
    },
  };
}

async function savedImages(archive: TarArchive): Promise<readonly SavedImage[]> {
  const where = `manifest.json of ${archive.name}`;
  const document = parseJson(await readMember(archive, 'manifest.json'), where);
  return arrayIn(document, { where, max: MAX_IMAGES }).map((entry) =>
    toSavedImage(archive, objectIn(entry, where), where),
  );
}

function toSavedImage(archive: TarArchive, object: JsonObject, where: string): SavedImage {
  const list = (name: string, max: number): readonly string[] =>
    arrayAt(object, name, { where, max }).map((value) => {
      if (typeof value === 'string') return value;
      throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', `${where}: expected strings in ${name}`);
    });
  const config = stringAt(object, 'Config', where);
  const layers = list('Layers', MAX_LAYERS);
  return {
    tags: list('RepoTags', MAX_IMAGES),
    read: async () => ({ layers, configBytes: await readMember(archive, config) }),
    origin: Object.hasOwn(object, 'annotations') ? readOrigin(object['annotations']) : undefined,
  };
}

function findImage(archive: TarArchive, images: readonly SavedImage[], reference: Reference): SavedImage {
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
  const available = images.slice(0, 20).map((image) => quote(image.tags[0] ?? 'one without a name'));
  const text = `archive ${archive.name} has no image ${quote(wanted)}: it has ${available.join(', ') || 'none'}`;
  throw new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND', text, {
    path: archive.path,
    expected: wanted,
  });
}

interface Opening extends OpenImageOptions {
  readonly reference: Reference;
}

async function openImage(archive: TarArchive, saved: SavedImage, opening: Opening): Promise<ConvertibleImage> {
  const { platform = hostPlatform(), reference } = opening;
  const { origin } = saved;
  opening.signal?.throwIfAborted();
  const { configBytes, layers: members } = await saved.read(
    opening.signal === undefined ? {} : { signal: opening.signal },
  );
  const name = formatReference(reference);
  const config = parseImageConfig(configBytes, { reference: name, layerCount: members.length, platform });
  if (matchPlatform(config.platform, platform) === undefined) throw otherPlatform(archive, config.platform, platform);
  const layers: FileLayer[] = [];
  for (const [index, path] of members.entries()) {
    const diffId = config.diffIds[index];
    if (diffId === undefined) throw new RangeError(`layer ${index} has no diffID`);
    const { offset, size } = findMember(archive, path);
    const digest = digestOf(path) ?? (await memberDigest(archive, { offset, size }, { diffId, ...opening }));
    layers.push({ digest, diffId, size, place: { path: archive.path, offset } });
  }
  const image = imageOfFiles({ reference, configBytes, config, layers });
  return origin === undefined ? image : { ...image, origin };
}

function otherPlatform(archive: TarArchive, has: Platform, wanted: Platform): ConversionError {
  const expected = formatPlatform(wanted);
  const actual = formatPlatform(has).slice(0, 200);
  const text = `image in ${archive.name} is for another platform: expected ${quote(expected)}, got ${quote(actual)}`;
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
const GZIP = Buffer.from([0x1f, 0x8b]);

/**
 * In older archives a layer is its tar, so its digest is the diffID. Those of crane, ko, kaniko and jib have it gzipped
 * under a name of their own: nothing states that digest, and the diffID says in the end whether the bytes were right.
 */
async function memberDigest(
  archive: TarArchive,
  member: Member,
  { diffId, signal }: { readonly diffId: Descriptor['digest']; readonly signal?: AbortSignal },
): Promise<Descriptor['digest']> {
  if (!GZIP.equals(await readStart(archive, member, GZIP.length))) return diffId;
  return await hashMember(archive, member, signal === undefined ? {} : { signal });
}
