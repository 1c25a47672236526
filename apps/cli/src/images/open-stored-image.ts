// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord, Store } from '@rkt/store';
import { CliError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import type { Session } from '../wiring/session.ts';
import { findStoredImage } from './stored-image.ts';

/** An image that is there, and the store that has it. */
export interface OpenedImage {
  readonly store: Store;
  readonly image: ImageRecord;
}

/**
 * Finds an image for a command that only works on what is there: where there is no store, none is made.
 * @throws {CliError} ERR_RKT_CLI_IMAGE_NOT_IN_STORE, and as {@link findStoredImage}
 */
export async function openStoredImage(session: Session, name: string, use: 'read' | 'change'): Promise<OpenedImage> {
  const store = await session.existingStore(use);
  if (store !== undefined) return { store, image: await findStoredImage(store, name) };
  const dir = quote(await session.dataDir());
  throw new CliError('ERR_RKT_CLI_IMAGE_NOT_IN_STORE', `no image found for ${quote(name)}: ${dir} has no images`, {
    hint: 'choose the data directory with --dir',
  });
}
