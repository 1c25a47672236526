// SPDX-License-Identifier: Apache-2.0
import type { AbortOptions } from '@rkt/registry';
import { ConversionError, quote } from '../errors.ts';
import { objectIn, parseJsonObject, stringAt } from './json.ts';
import { MAX_IMAGES, MAX_LAYERS, type SavedImage, type SavedParts } from './saved-image.ts';
import { findMember, hashMember, readMember, type TarArchive } from './tar-archive.ts';

/**
 * The images of an archive as Docker wrote it before 1.10: `repositories` names the top layer of each, and every layer has
 * a directory with `layer.tar` and `json`, which names its parent.
 *
 * @throws ConversionError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `IO`
 */
export async function legacyImages(archive: TarArchive): Promise<readonly SavedImage[]> {
  const where = `repositories of ${archive.name}`;
  const repositories = parseJsonObject(await readMember(archive, 'repositories'), where);
  const images: SavedImage[] = [];
  for (const [name, value] of Object.entries(repositories)) {
    const tags = objectIn(value, where);
    for (const tag of Object.keys(tags)) {
      const id = stringAt(tags, tag, where);
      const read: SavedImage['read'] = (options) => readParts(archive, id, options);
      images.push({ tags: [`${name}:${tag}`], origin: undefined, read });
      if (images.length > MAX_IMAGES) throw invalid(archive, `names more than ${MAX_IMAGES} images`);
    }
  }
  return images;
}

async function readParts(archive: TarArchive, id: string, options: AbortOptions = {}): Promise<SavedParts> {
  const ids = await chainOf(archive, id);
  const layers = ids.map((each) => `${each}/layer.tar`);
  return { layers, configBytes: await configOf(archive, id, { layers, ...options }) };
}

/** The layers of an image, base first. */
async function chainOf(archive: TarArchive, top: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let id: string | undefined = top; id !== undefined; ) {
    if (!/^[0-9a-f]{64}$/.test(id)) throw invalid(archive, `has a layer called ${quote(id)}`);
    if (ids.includes(id)) throw invalid(archive, `has a layer that is its own ancestor: ${id}`);
    if (ids.length >= MAX_LAYERS) throw invalid(archive, `has an image of more than ${MAX_LAYERS} layers`);
    ids.unshift(id);
    const { parent } = await layerJson(archive, id);
    id = typeof parent === 'string' && parent !== '' ? parent : undefined;
  }
  return ids;
}

async function layerJson(archive: TarArchive, id: string): Promise<Readonly<Record<string, unknown>>> {
  return parseJsonObject(await readMember(archive, `${id}/json`), `${id}/json of ${archive.name}`);
}

interface Chain extends AbortOptions {
  readonly layers: readonly string[];
}

/** What the image would have as its configuration today; the digests of the layers are nowhere stated. */
async function configOf(archive: TarArchive, top: string, { layers, ...options }: Chain): Promise<Uint8Array> {
  const { architecture, os, config, created, author } = await layerJson(archive, top);
  const diffIds: string[] = [];
  for (const layer of layers) diffIds.push(await hashMember(archive, findMember(archive, layer), options));
  const rootfs = { type: 'layers', diff_ids: diffIds };
  return Buffer.from(JSON.stringify({ architecture, os, config, created, author, rootfs }));
}

function invalid(archive: TarArchive, what: string): ConversionError {
  const text = `archive ${archive.name} ${what}`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_INVALID', text, { path: archive.path });
}
