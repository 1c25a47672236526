// SPDX-License-Identifier: Apache-2.0
import { usageError } from '../errors.ts';
import { quote } from '../render/quote.ts';
import { type FlagSpec, type FlagValues, flagValues, type TypedFlag } from './flag.ts';
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
  readonly given: TypedFlag[];
  appArguments: readonly string[] | undefined;
}

/**
 * Gathers the images of `run` and `prepare`: flags up to the next image belong to the image before them, and so do the
 * arguments between `--` and `---`. Where there is one image alone, its flags may also stand before it.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function readImageRequests(parts: readonly Part[], specs: readonly FlagSpec[]): readonly ImageRequest[] {
  const images: Gathered[] = [];
  const before: TypedFlag[] = [];
  for (const part of parts) {
    const image = images.at(-1);
    if (part.kind === 'operand') images.push({ image: part.value, given: [], appArguments: undefined });
    else if (part.kind === 'app-arguments') addArguments(image, part.values);
    else if (part.flag.scope === 'image') (image?.given ?? before).push(part);
  }
  if (images.length > 1) refuseMisplaced(before);
  return images.map(({ image, given, appArguments }) => ({
    image,
    flags: flagValues(specs, [...before, ...given]),
    appArguments,
  }));
}

function refuseMisplaced(before: readonly TypedFlag[]): void {
  const misplaced = before.find(({ flag }) => flag.beforeImages !== true);
  if (misplaced === undefined) return;
  const { name, kind, placeholder = 'VALUE' } = misplaced.flag;
  const spelled = kind === 'boolean' ? `--${name}` : `--${name}=${placeholder}`;
  throw usageError(`flag ${misplaced.typed} must follow an image`, `the form is IMAGE ${spelled} -- ARGS`);
}

function addArguments(image: Gathered | undefined, values: readonly string[]): void {
  if (image === undefined) throw usageError('an image is required before any app arguments');
  if (image.appArguments !== undefined) throw usageError('only one set of app arguments allowed per image');
  image.appArguments = values;
}

/**
 * Whether there is an image at all.
 * @throws {CliError} ERR_RKT_CLI_USAGE
 */
export function requireImages(images: readonly ImageRequest[]): void {
  if (images.length === 0) throw usageError('must provide at least one image or specify the pod manifest');
}

/** The command line that images were read from, for hints. */
export interface ImageLine {
  readonly command: string;
  readonly parts: readonly Part[];
}

/** What the word that stands in the place of an image, and names none, was most likely meant to be. */
export function misreadHint(images: readonly ImageRequest[], index: number, line: ImageLine): string | undefined {
  return detachedValue(line.parts, images[index]?.image) ?? missingDashes(images, index, line.command);
}

/** `--net none` is a bare flag and an image: the value is to be joined. */
function detachedValue(parts: readonly Part[], word: string | undefined): string | undefined {
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    if (part.kind !== 'flag' || next?.kind !== 'operand' || next.value !== word) continue;
    const values = part.flag.kind === 'boolean' ? ['true', 'false'] : (part.flag.familiar ?? []);
    const isBare = part.value === (part.flag.bare ?? 'true');
    if (isBare && values.includes(next.value)) return `join the value with =: --${part.flag.name}=${next.value}`;
  }
  return undefined;
}

/** Words after an image with nothing between them are most likely the arguments of its app. */
function missingDashes(images: readonly ImageRequest[], index: number, command: string): string | undefined {
  if (index < 1 || images[index - 1]?.appArguments !== undefined) return undefined;
  const words = images.map(({ image }) => quote(image, { marks: false }));
  const line = [...words.slice(0, index), '--', ...words.slice(index)].join(' ');
  return `arguments of the app go after --: rkt ${command} ${line}`;
}
