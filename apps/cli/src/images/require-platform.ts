// SPDX-License-Identifier: Apache-2.0
import { fromAppcPlatform } from '@rkt/appc';
import type { Platform } from '@rkt/registry';
import type { StoredImage } from '@rkt/store';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';

/**
 * An ID or a name is one image already; it must be for the platform that was asked for. An image that does not say what it
 * is for is for all.
 * @throws {CliError} ERR_RKT_CLI_IMAGE_NOT_IN_STORE
 */
export async function requirePlatform({ name, manifest }: StoredImage, wanted: Platform): Promise<void> {
  const label = (key: string): string | undefined => manifest.labels?.find((each) => each.name === key)?.value;
  const [os, arch] = [label('os'), label('arch')];
  if (os === undefined || arch === undefined) return;
  const { formatPlatform, matchPlatform } = await import('@rkt/registry');
  const { variant, ...platform } = fromAppcPlatform({ os, arch });
  const have: Platform = { ...platform, ...(variant === undefined ? {} : { variant }) };
  if (matchPlatform(have, wanted) !== undefined) return;
  const message = `stored image ${quote(name)} is for ${formatPlatform(have)}, not for ${formatPlatform(wanted)}`;
  throw new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', message, {
    hint: `fetch it for that platform by its docker:// reference, or ask for this one with --platform=${formatPlatform(have)}`,
  });
}
