// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord, Lease } from '@rkt/store';
import { type ImageLine, type ImageRequest, misreadHint } from '../args/image-requests.ts';
import { CliError, isCliError } from '../errors.ts';
import { type ObtainOptions, obtainImage } from '../images/obtain-image.ts';
import { imageArgument } from '../images/stored-image.ts';
import type { Session } from '../wiring/session.ts';

export interface ObtainImages extends ObtainOptions {
  readonly line: ImageLine;
  /** Keeps each image from the moment it is there. */
  readonly lease: Lease;
}

/**
 * Gives the images of a command line, in its order. What no registry is asked for comes first: a word that names no image
 * is most likely an argument of an app, and nothing should have been fetched when that is said.
 */
export async function obtainImages(
  session: Session,
  requests: readonly ImageRequest[],
  { line, lease, ...options }: ObtainImages,
): Promise<readonly ImageRecord[]> {
  const images: ImageRecord[] = [];
  const planned = requests.map(({ image }, index) => ({ image, index, kind: kindOf(image) }));
  const obtain = async (wanted: (kind: ImageKind) => boolean): Promise<void> => {
    for (const { image, index } of planned.filter(({ kind }) => wanted(kind))) {
      const record = await obtainImage(session, image, options);
      await lease.retain(record.id);
      images[index] = record;
    }
  };
  try {
    await obtain((kind) => kind === 'word');
  } catch (error) {
    const missing = requests.findIndex((_, index) => planned[index]?.kind === 'word' && images[index] === undefined);
    throw withHint(error, misreadHint(requests, missing, line));
  }
  await obtain((kind) => kind === 'archive');
  await obtain((kind) => kind === 'registry');
  return images;
}

/** A `word` may just as well have been meant for the app: everything but a name that says where the image is. */
type ImageKind = 'registry' | 'archive' | 'word';

function kindOf(image: string): ImageKind {
  try {
    const { kind } = imageArgument(image);
    if (kind === 'docker') return 'registry';
    return kind === 'oci' || kind === 'docker-archive' ? 'archive' : 'word';
  } catch {
    // Why it is none is said where it is read the second time.
    return 'word';
  }
}

function withHint(error: unknown, hint: string | undefined): unknown {
  if (hint === undefined || !(error instanceof Error) || !isAboutName(error)) return error;
  const code = isCliError(error) ? error.code : 'ERR_RKT_CLI_IMAGE_NOT_IN_STORE';
  return new CliError(code, error.message, { cause: error, hint });
}

const STORE_MISSES = ['IMAGE_NOT_FOUND', 'AMBIGUOUS_PREFIX', 'PREFIX_TOO_SHORT'].map((miss) => `ERR_RKT_STORE_${miss}`);

/** Rather than about a store that cannot be read. */
function isAboutName(error: Error): boolean {
  if (isCliError(error))
    return ['ERR_RKT_CLI_IMAGE_NOT_IN_STORE', 'ERR_RKT_CLI_UNSUPPORTED', 'ERR_RKT_CLI_USAGE'].includes(error.code);
  const code = 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_RKT_REFPARSE_') || STORE_MISSES.includes(code);
}
