// SPDX-License-Identifier: Apache-2.0
import { toAppcPlatform } from '@rkt/appc';
import { type ImageArgument, isReferenceSyntaxError, parseImageArgument, tryParseReference } from '@rkt/refparse';
import type { Platform } from '@rkt/registry';
import type { ImageRecord, Store } from '@rkt/store';
import { CliError, usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { ownPlatform, remoteName } from './remote-name.ts';

/**
 * Finds an image of the store by what a user calls it: an ID or the beginning of one, a docker reference, or a name. A
 * reference means the image for the platform, a name rather that than another of the same name.
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
    case 'docker':
      return byReference(store, argument, platform);
    case 'appc-name':
      return byName(store, argument, platform);
    default:
      throw new CliError('ERR_RKT_CLI_USAGE', `${quote(image)} does not name an image of the store`, {
        hint: 'give an image ID, a docker:// reference or a name',
      });
  }
}

/**
 * Tells what kind of image a user names; an ID of which too little is given is told from what is none.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 * @throws {ReferenceSyntaxError}
 */
export function imageArgument(image: string): ImageArgument {
  if (/^sha512-[0-9a-f]?$/.test(image)) {
    throw usageError(`image ID too short: ${quote(image)}`, 'give at least two digits after sha512-');
  }
  try {
    return parseImageArgument(image);
  } catch (error) {
    const docker = dockerSpelling(image);
    if (docker === undefined || !isReferenceSyntaxError(error)) throw error;
    throw usageError(error.message, `for a Docker image write ${docker}`);
  }
}

/** What a name without a scheme, or an address out of a browser, is as an image of a registry; undefined if it is none. */
export function dockerSpelling(image: string): string | undefined {
  const name = image.replace(/^https?:\/\//, '');
  if (/^(sha512-|(docker|oci|oci-archive|docker-archive|cimd|file):)/.test(name)) return undefined;
  return tryParseReference(name) === undefined ? undefined : `docker://${name}`;
}

async function byReference(
  store: Store,
  argument: ImageArgument & { readonly kind: 'docker' },
  platform: Platform,
): Promise<ImageRecord> {
  const remote = await store.getRemote(remoteName(argument.reference, platform));
  if (remote !== undefined) return store.resolveImage({ prefix: remote.imageId });
  throw notInStore(argument.original);
}

/** `redis` alone may also mean the docker image that is called so. */
async function byName(
  store: Store,
  argument: ImageArgument & { readonly kind: 'appc-name' },
  platform: Platform,
): Promise<ImageRecord> {
  const { name, labels, original } = argument;
  const wanted = Object.fromEntries(labels.map((label) => [label.name, label.value]));
  try {
    return await anyOf(store, name, [{ ...toAppcPlatform(platform), ...wanted }, wanted]);
  } catch (error) {
    const reference = tryParseReference(original);
    const remote = reference === undefined ? undefined : await store.getRemote(remoteName(reference, platform));
    if (remote === undefined) throw error;
    return store.resolveImage({ prefix: remote.imageId });
  }
}

/** The image of a name with the first of these labels that one has. */
async function anyOf(store: Store, name: string, choices: readonly Record<string, string>[]): Promise<ImageRecord> {
  let failure: unknown;
  for (const labels of choices) {
    try {
      return await store.resolveImage({ name, labels });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** What is said when a docker image is neither in the store nor may be asked for. */
export function notInStore(url: string): CliError {
  return new CliError(
    'ERR_RKT_CLI_IMAGE_NOT_IN_STORE',
    `unable to fetch docker image from URL ${quote(url)}: it was not found in the store and fetching it was not allowed`,
    { hint: 'fetch it first, or use another --pull-policy' },
  );
}
