// SPDX-License-Identifier: Apache-2.0
import type { Platform } from '@rkt/registry';
import type { ImageRecord } from '@rkt/store';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { platformOf } from './image-platform.ts';

/**
 * An ID or a name is one image already; it must be for the platform that was asked for. An image that does not say what it
 * is for is for all.
 * @throws {CliError} ERR_RKT_CLI_IMAGE_NOT_IN_STORE
 */
export async function requirePlatform(image: ImageRecord, wanted: Platform): Promise<void> {
  const { name } = image;
  const have = platformOf(image);
  if (have === undefined) return;
  const { formatPlatform, matchPlatform } = await import('@rkt/registry');
  if (matchPlatform(have, wanted) !== undefined) return;
  const message = `stored image ${quote(name)} is for ${formatPlatform(have)}, not for ${formatPlatform(wanted)}`;
  throw new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', message, {
    hint: `fetch it for that platform by its docker:// reference, or ask for this one with --platform=${formatPlatform(have)}`,
  });
}
