// SPDX-License-Identifier: Apache-2.0
import { toAppcPlatform } from '@rkt/appc';
import { type ImageArgument, type Reference, tryParseReference } from '@rkt/refparse';
import type { Platform } from '@rkt/registry';
import type { ImageRecord, Store } from '@rkt/store';
import { CliError, hasCode } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { imageArgument } from './image-argument.ts';
import { storedName, versionOf } from './image-names.ts';
import { ownPlatform, remoteName } from './remote-name.ts';

/**
 * Finds an image of the store by what a user calls it: an ID or the beginning of one, a reference with or without
 * `docker://`, or the name of an ACI. With `docker://` it is the image that came from there, without it the one that has the
 * name; of several for the platform, or for want of one whichever came last.
 * @throws {StoreError} IMAGE_NOT_FOUND, AMBIGUOUS_PREFIX, PREFIX_TOO_SHORT
 * @throws {CliError} ERR_RKT_CLI_IMAGE_NOT_IN_STORE, ERR_RKT_CLI_USAGE
 */
export async function findStoredImage(
  store: Store,
  image: string,
  platform: Platform = ownPlatform(),
): Promise<ImageRecord> {
  const argument = imageArgument(image);
  switch (argument.kind) {
    case 'image-id':
      return store.resolveImage({ prefix: argument.prefix });
    case 'docker': {
      const found = await byReference(store, argument.reference, platform);
      if (found === undefined) throw notFetched(argument.original);
      return found;
    }
    case 'stored-name':
      return byStoredName(store, argument.reference, platform);
    case 'appc-name':
      return byName(store, argument, platform);
    default:
      throw new CliError('ERR_RKT_CLI_USAGE', `${quote(image)} does not name an image of the store`, {
        hint: 'give an image ID, a docker:// reference or a name',
      });
  }
}

/** By where it came from; an image that was imported, or whose remote is forgotten, by the name it was put under. */
async function byReference(store: Store, reference: Reference, platform: Platform): Promise<ImageRecord | undefined> {
  const remote = await store.getRemote(remoteName(reference, platform));
  if (remote !== undefined) return store.resolveImage({ prefix: remote.imageId });
  return unlessNotFound(byStoredName(store, reference, platform));
}

/** By the name it was put under, as the list has it: an archive may have taken the name of an image from a registry. */
async function byStoredName(store: Store, reference: Reference, platform: Platform): Promise<ImageRecord> {
  const name = storedName(reference);
  return (
    (await unlessNotFound(store.resolveImage({ name, labels: { ...toAppcPlatform(platform) } }))) ??
    store.resolveImage({ name })
  );
}

async function byName(
  store: Store,
  argument: ImageArgument & { readonly kind: 'appc-name' },
  platform: Platform,
): Promise<ImageRecord> {
  const { name, labels, original } = argument;
  const wanted = Object.fromEntries(labels.map((label) => [label.name, label.value]));
  const reference = tryParseReference(original);
  const found =
    (await unlessNotFound(store.resolveImage({ name, labels: { ...toAppcPlatform(platform), ...wanted } }))) ??
    // `redis` alone may also mean the docker image that is called so.
    (reference && (await unlessNotFound(byStoredName(store, reference, platform)))) ??
    (await byAppcName(store, argument));
  // Of whatever platform; and if it is not there, the store says it best.
  return found ?? store.resolveImage({ name, labels: wanted });
}

/** By the name in its manifest, `registry-1.docker.io/library/redis`, which the original rkt lists images by. */
async function byAppcName(
  store: Store,
  { name, labels }: ImageArgument & { readonly kind: 'appc-name' },
): Promise<ImageRecord | undefined> {
  const [version] = labels;
  if (labels.length > 1 || (version !== undefined && version.name !== 'version')) return undefined;
  const { appcNameOf } = await import('./appc-name.ts');
  const images = await store.listImages();
  return images.findLast(({ names }) =>
    names.some((each) => appcNameOf(each) === name && (version === undefined || versionOf(each) === version.value)),
  );
}

async function unlessNotFound(found: Promise<ImageRecord>): Promise<ImageRecord | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isImageNotFound(error)) return undefined;
    throw error;
  }
}

/** The store's own word that an image is not there. */
export function isImageNotFound(error: unknown): boolean {
  return hasCode(error, 'ERR_RKT_STORE_IMAGE_NOT_FOUND');
}

function notFetched(url: string): CliError {
  return new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', `no image ${quote(url)} in the store`, {
    hint: `fetch it first: rkt fetch ${quote(url, { marks: false })}`,
  });
}

/** What is said when a docker image is neither in the store nor may be asked for. */
export function notInStore(url: string): CliError {
  return new CliError(
    'ERR_RKT_CLI_IMAGE_NOT_IN_STORE',
    `unable to fetch docker image from URL ${quote(url)}: it was not found in the store and fetching it was not allowed`,
    { hint: 'fetch it first, or use another --pull-policy' },
  );
}
