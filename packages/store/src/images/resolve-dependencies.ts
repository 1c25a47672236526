// SPDX-License-Identifier: Apache-2.0
import type { Dependency, ImageId, ImageManifest } from '@rkt/appc';
import type { StoreContext } from '../context.ts';
import { isStoreError, printable, StoreError } from '../errors.ts';
import { allImages, splitVersion } from '../records/images.ts';
import type { AciLayer, ImageRecord, Lease } from '../store.ts';
import { resolveImage } from './resolve-image.ts';
import { getImage } from './stored-manifest.ts';

/** What an image stands upon. */
export interface LowerLayers {
  /** DiffIDs, base first. */
  readonly layers: readonly string[];
  readonly acis: readonly AciLayer[];
}

/** More than any image has; a chain of images that each name the one before it twice would double with every link. */
const MOST_LAYERS = 512;

/**
 * The layers of all dependencies of an image, in the order they are named (appc spec 0.8.11, "Image Manifest Schema"),
 * each with what it depends on itself. An image ID decides alone; otherwise name and labels must match, and the image
 * put last wins. What a dependency was resolved to stays what it is for as long as the image is in the store.
 *
 * @param lease retains the dependencies, so that their layers stay until an image refers to them
 * @throws DEPENDENCY_NOT_FOUND, AMBIGUOUS_PREFIX
 */
export async function resolveDependencies(
  context: StoreContext,
  manifest: ImageManifest,
  lease: Lease,
): Promise<LowerLayers> {
  const layers: string[] = [];
  const acis: AciLayer[] = [];
  for (const dependency of manifest.dependencies ?? []) {
    const image = await find(context, manifest, dependency);
    await lease.retain(image.id);
    const base = layers.length;
    layers.push(...image.layers);
    acis.push(...image.acis.map(({ first, position }) => ({ first: base + first, position: base + position })));
    if (layers.length >= MOST_LAYERS) throw tooMany(manifest);
  }
  return { layers, acis };
}

async function find(context: StoreContext, { name }: ImageManifest, dependency: Dependency): Promise<ImageRecord> {
  const { imageName, imageID, labels = [] } = dependency;
  const wanted = Object.fromEntries(labels.map((label) => [label.name, label.value]));
  try {
    return resolveImage(context, imageID === undefined ? { name: imageName, labels: wanted } : { prefix: imageID });
  } catch (error) {
    if (!isStoreError(error) || error.code !== 'ERR_RKT_STORE_IMAGE_NOT_FOUND') throw error;
    const called = imageID === undefined ? await findByManifest(context, imageName, wanted) : undefined;
    if (called !== undefined) return called;
    const text = `image ${printable(name)} depends on ${described(dependency)}, which is not in the store`;
    throw new StoreError('ERR_RKT_STORE_DEPENDENCY_NOT_FOUND', text, { subject: imageName, cause: error });
  }
}

/** An image is put under the name people use; its manifest may have another, and that is what other manifests know. */
async function findByManifest(
  context: StoreContext,
  imageName: string,
  wanted: Readonly<Record<string, string>>,
): Promise<ImageRecord | undefined> {
  for (const image of context.database.read(allImages).toReversed()) {
    const manifest = await intactManifest(context, image.id);
    if (manifest?.name !== imageName) continue;
    const { labels = [] } = manifest;
    const versions = image.names.map((each) => splitVersion(each).version);
    const has = ([key, value]: [string, string]): boolean =>
      labels.some((label) => label.name === key && label.value === value) ||
      (key === 'version' && versions.includes(value));
    if (Object.entries(wanted).every(has)) return image;
  }
  return undefined;
}

/** One that is damaged, or has just been removed, is no dependency of anything. */
async function intactManifest(context: StoreContext, id: ImageId): Promise<ImageManifest | undefined> {
  try {
    return (await getImage(context, id)).manifest;
  } catch (error) {
    if (isStoreError(error)) return undefined;
    throw error;
  }
}

/** `example.com/base:1.0,arch=amd64`, as it can be asked for. */
function described({ imageName, imageID, labels = [] }: Dependency): string {
  const version = labels.find(({ name }) => name === 'version');
  const others = labels.filter((label) => label !== version).map(({ name, value }) => `,${name}=${value}`);
  const id = imageID === undefined ? '' : ` with the ID ${imageID}`;
  return printable(`${imageName}${version === undefined ? '' : `:${version.value}`}${others.join('')}${id}`);
}

function tooMany({ name }: ImageManifest): StoreError {
  const text = `image ${printable(name)} and its dependencies have more than ${MOST_LAYERS} layers`;
  return new StoreError('ERR_RKT_STORE_TREE_UNSUPPORTED', text, { subject: name });
}
