// SPDX-License-Identifier: Apache-2.0
import type { Platform } from '@rkt/registry';
import type { ImageRecord, Store } from '@rkt/store';
import type { FlagValues } from '../args/flag.ts';
import { CliError, reasonOf } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import { imageArgument } from './image-argument.ts';
import { noSuchImage } from './near-name.ts';
import { wantedPlatform } from './obtain-options.ts';
import { requirePlatform } from './require-platform.ts';
import { findStoredImage, isImageNotFound } from './stored-image.ts';

/** An image that is there, and the store that has it. */
export interface OpenedImage {
  readonly store: Store;
  readonly image: ImageRecord;
}

export interface OpenStoredOptions {
  readonly use: 'read' | 'change';
  /** With `--platform`: of several images of a name the one for that, and no other. */
  readonly flags: FlagValues;
}

/**
 * Finds an image for a command that only works on what is there: where there is no store, none is made.
 * @throws {CliError} ERR_RKT_CLI_IMAGE_NOT_IN_STORE, and as {@link findStoredImage}
 */
export async function openStoredImage(
  session: Session,
  name: string,
  { use, flags }: OpenStoredOptions,
): Promise<OpenedImage> {
  const platform = await wantedPlatform(flags.text('platform'));
  const store = await session.existingStore(use);
  if (store !== undefined) {
    const image = await find(store, name, platform);
    if (platform !== undefined) await requirePlatform(image, platform);
    return { store, image };
  }
  const dir = quote(await session.dataDir());
  throw new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', `no image found for ${quote(name)}: ${dir} has no images`, {
    hint: 'choose the data directory with --dir',
  });
}

async function find(store: Store, name: string, platform: Platform | undefined): Promise<ImageRecord> {
  try {
    return await findStoredImage(store, name, platform);
  } catch (error) {
    if (!isImageNotFound(error) || imageArgument(name).kind === 'image-id') throw error;
    throw await noSuchImage(store, name, { message: reasonOf(error), cause: error });
  }
}
