// SPDX-License-Identifier: Apache-2.0
import { CliError, usageError } from '../errors.ts';
import { type FlagSpec, type FlagValues, flagValues, type GivenFlag } from './flag.ts';
import type { Part } from './read-parts.ts';

/** An image on the command line with everything that belongs to it. */
export interface ImageRequest {
  readonly image: string;
  /** Flags after the image, and those before the first image that hold for every image. */
  readonly flags: FlagValues;
  /** What stood between `--` and `---`; undefined if there was no `--`. */
  readonly appArguments: readonly string[] | undefined;
}

interface Gathered {
  readonly image: string;
  readonly given: GivenFlag[];
  appArguments: readonly string[] | undefined;
}

/**
 * Gathers the images of `run` and `prepare`: flags up to the next image belong to the image before them, and so do the
 * arguments between `--` and `---`.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function readImageRequests(parts: readonly Part[], specs: readonly FlagSpec[]): readonly ImageRequest[] {
  const images: Gathered[] = [];
  const everywhere: GivenFlag[] = [];
  for (const part of parts) {
    const image = images.at(-1);
    if (part.kind === 'operand') images.push({ image: part.value, given: [], appArguments: undefined });
    else if (part.kind === 'app-arguments') addArguments(image, part.values);
    else if (part.flag.scope === 'image') addFlag(part, image, everywhere);
  }
  return images.map(({ image, given, appArguments }) => ({
    image,
    flags: flagValues(specs, [...everywhere, ...given]),
    appArguments,
  }));
}

function addFlag(part: GivenFlag, image: Gathered | undefined, everywhere: GivenFlag[]): void {
  if (image !== undefined) image.given.push(part);
  else if (part.flag.beforeImages === true) everywhere.push(part);
  else throw usageError(`flag --${part.flag.name} must follow an image`);
}

function addArguments(image: Gathered | undefined, values: readonly string[]): void {
  if (image === undefined) throw usageError('an image is required before any app arguments');
  if (image.appArguments !== undefined) throw usageError('only one set of app arguments allowed per image');
  image.appArguments = values;
}

/**
 * The one image of a pod.
 * @throws {CliError} ERR_RKT_CLI_USAGE without one, ERR_RKT_CLI_UNSUPPORTED with several
 */
export function onlyImage(images: readonly ImageRequest[]): ImageRequest {
  const [image] = images;
  if (image === undefined) throw usageError('must provide at least one image');
  if (images.length === 1) return image;
  throw new CliError(
    'ERR_RKT_CLI_UNSUPPORTED',
    `several apps per pod are not supported yet: got ${images.length} images`,
    {
      hint: 'run one pod per image',
    },
  );
}
