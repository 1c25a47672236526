// SPDX-License-Identifier: Apache-2.0
import {
  type ImageArgument,
  isReferenceSyntaxError,
  parseImageArgument,
  type Reference,
  tryParseReference,
} from '@rkt/refparse';
import { usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';

/** A reference that does not say where it is to be had: the name of an image of the store, with a port or a digest. */
export interface StoredName {
  readonly kind: 'stored-name';
  readonly reference: Reference;
  readonly original: string;
}

/**
 * Tells what kind of image a user names; an ID of which too little is given is told from what is none.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 * @throws {ReferenceSyntaxError}
 */
export function imageArgument(image: string): ImageArgument | StoredName {
  try {
    return readArgument(image);
  } catch (error) {
    const docker = dockerSpelling(image);
    if (docker === undefined || !isReferenceSyntaxError(error)) throw error;
    const reference = tryParseReference(image);
    if (reference !== undefined) return { kind: 'stored-name', reference, original: image };
    throw usageError(error.message, `for a Docker image write ${docker}`);
  }
}

function readArgument(image: string): ImageArgument {
  if (!/^sha512-[0-9a-f]?$/.test(image)) return parseImageArgument(image);
  throw usageError(`image ID too short: ${quote(image)}`, 'give at least two digits after sha512-');
}

/** What a name without a scheme, or an address out of a browser, is as an image of a registry; undefined if it is none. */
export function dockerSpelling(image: string): string | undefined {
  const name = image.replace(/^https?:\/\//, '');
  if (/^(sha512-|(docker|oci|oci-archive|docker-archive|rootfs|cimd|file):)/.test(name)) return undefined;
  return tryParseReference(name) === undefined ? undefined : `docker://${name}`;
}
