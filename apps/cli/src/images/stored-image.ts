// SPDX-License-Identifier: Apache-2.0
import { type ImageArgument, parseImageArgument, tryParseReference } from '@rkt/refparse';
import type { ImageRecord, Store } from '@rkt/store';
import { CliError, usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { remoteName } from './remote-name.ts';

/**
 * Finds an image of the store by what a user calls it: an ID or the beginning of one, a docker reference, or a name.
 * @throws {StoreError} IMAGE_NOT_FOUND, AMBIGUOUS_PREFIX, PREFIX_TOO_SHORT
 * @throws {CliError} ERR_RKT_CLI_IMAGE_NOT_IN_STORE, ERR_RKT_CLI_USAGE
 */
export async function findStoredImage(store: Store, image: string): Promise<ImageRecord> {
  const argument = imageArgument(image);
  switch (argument.kind) {
    case 'image-id':
      return store.resolveImage({ prefix: argument.prefix });
    case 'docker':
      return byReference(store, argument);
    case 'appc-name':
      return byName(store, argument);
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
  if (!/^sha512-[0-9a-f]?$/.test(image)) return parseImageArgument(image);
  throw usageError(`image ID too short: ${quote(image)}`, 'give at least two digits after sha512-');
}

async function byReference(store: Store, argument: ImageArgument & { readonly kind: 'docker' }): Promise<ImageRecord> {
  const remote = await store.getRemote(remoteName(argument.reference));
  if (remote !== undefined) return store.resolveImage({ prefix: remote.imageId });
  throw notInStore(argument.original);
}

/** `redis` alone may also mean the docker image that is called so. */
async function byName(store: Store, argument: ImageArgument & { readonly kind: 'appc-name' }): Promise<ImageRecord> {
  const { name, labels, original } = argument;
  try {
    const wanted = Object.fromEntries(labels.map((label) => [label.name, label.value]));
    return await store.resolveImage({ name, ...(labels.length === 0 ? {} : { labels: wanted }) });
  } catch (error) {
    const reference = tryParseReference(original);
    const remote = reference === undefined ? undefined : await store.getRemote(remoteName(reference));
    if (remote === undefined) throw error;
    return store.resolveImage({ prefix: remote.imageId });
  }
}

/** What is said when a docker image is neither in the store nor may be asked for. */
export function notInStore(url: string): CliError {
  return new CliError(
    'ERR_RKT_CLI_IMAGE_NOT_IN_STORE',
    `unable to fetch docker image from URL ${quote(url)}: it was not found in the store and fetching it was not allowed`,
    { hint: 'fetch it first, or use another --pull-policy' },
  );
}
