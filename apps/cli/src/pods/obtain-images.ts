// SPDX-License-Identifier: Apache-2.0
import type { ImageRecord, Lease } from '@rkt/store';
import { type ImageLine, type ImageRequest, misreadHint } from '../args/image-requests.ts';
import { CliError, codeOf, isCliError } from '../errors.ts';
import { imageArgument } from '../images/image-argument.ts';
import { isNameFault } from '../images/name-fault.ts';
import { obtainImage } from '../images/obtain-image.ts';
import type { ObtainOptions } from '../images/obtain-options.ts';
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
  const planned = requests.map(({ image, flags }, index) => {
    return { image, index, kind: kindOf(image), signatureFile: flags.text('signature') };
  });
  const obtain = async (wanted: (kind: ImageKind) => boolean): Promise<void> => {
    for (const { image, index, signatureFile } of planned.filter(({ kind }) => wanted(kind))) {
      const record = await obtainImage(session, image, { ...options, signatureFile });
      await lease.retain(record.id);
      images[index] = record;
    }
  };
  try {
    await obtain((kind) => kind === 'word');
  } catch (error) {
    const missing = planned.find(({ kind, index }) => kind === 'word' && images[index] === undefined);
    throw missing === undefined ? error : withHint(error, missing.image, misreadHint(requests, missing.index, line));
  }
  await obtain((kind) => kind === 'archive');
  await obtain((kind) => kind === 'registry');
  return images;
}

/** A `word` may just as well have been meant for the app: everything but what says that it is an image. */
type ImageKind = 'registry' | 'archive' | 'word';

function kindOf(image: string): ImageKind {
  const kind = argumentKind(image);
  if (kind === 'docker') return 'registry';
  if (kind === 'appc-name' || kind === 'stored-name' || kind === 'image-id' || kind === undefined) return 'word';
  return kind === 'path' && !image.endsWith('.aci') ? 'word' : 'archive';
}

function argumentKind(image: string): ReturnType<typeof imageArgument>['kind'] | undefined {
  try {
    return imageArgument(image).kind;
  } catch {
    // Why it is none is said where it is read the second time.
    return undefined;
  }
}

function withHint(error: unknown, image: string, hint: string | undefined): unknown {
  if (hint === undefined || !(error instanceof Error) || !isAboutImage(error, image)) return error;
  const code = isCliError(error) ? error.code : 'ERR_RKT_CLI_IMAGE_NOT_IN_STORE';
  return new CliError(code, error.message, { cause: error, hint });
}

/** A file that is no ACI was most likely not meant as one. */
function isAboutImage(error: Error, image: string): boolean {
  if (argumentKind(image) !== 'path') return isNameFault(error);
  return codeOf(error)?.startsWith('ERR_RKT_') === true;
}
