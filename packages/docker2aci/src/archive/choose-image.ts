// SPDX-License-Identifier: Apache-2.0
import { basename, resolve } from 'node:path';
import { type Digest, formatReference, type LayoutSelector, type Reference, tryParseReference } from '@rkt/refparse';
import { ConversionError, quote } from '../errors.ts';
import type { ArchivedImage, ImageArchive } from './image-archive.ts';

/** An image of an archive, and everything it is to be called. */
export interface ChosenImage {
  /** Undefined for a digest the archive does not list: what it lists may refer to it. */
  readonly image: ArchivedImage | undefined;
  /** In the order of the archive; the first is what the image manifest and so the image ID are made of. */
  readonly references: readonly [Reference, ...Reference[]];
}

/**
 * The one rule for names of imported images. An image is called by the name it was chosen by, if that is a whole name;
 * otherwise by every whole name its archive has for it, read as Docker reads it; otherwise after the file:
 * `localhost/FILE:TAG`, with the tags the archive has for it, `latest` if it has none.
 *
 * @param selector which image is meant; without it, it is the only one, or the one with the tag `latest`
 * @throws ConversionError `ARCHIVE_IMAGE_NOT_FOUND`; `ARCHIVE_IMAGE_AMBIGUOUS` where several could be meant
 */
export function chooseImage(archive: ImageArchive, selector?: LayoutSelector): ChosenImage {
  const { name: path } = archive;
  if (selector === undefined) {
    const image = onlyImage(archive);
    return { image, references: namesOf(image, path) };
  }
  const [image, ...others] = matches(archive.images, selector);
  if (others.length > 0) throw ambiguous(archive, selector);
  if (selector.kind === 'digest') return { image, references: digestNames(image, path, selector.digest) };
  if (image === undefined) throw notFound(archive, selector);
  return {
    image,
    references: selector.kind === 'tag' ? tagNames(image, path, selector.tag) : typedName(image, path, selector.name),
  };
}

/** What a file is called as a repository: without its extensions, `image` if no repository can be called so. */
export function fileReference(path: string, tag: string): Reference {
  const base = basename(resolve(path))
    .toLowerCase()
    .replace(/(\.(tar|tgz|oci|docker|gz|zst))+$/, '');
  const named = tryParseReference(`localhost/${base}:${tag}`, { mode: 'strict' });
  return named ?? { domain: 'localhost', path: 'image', tag, digest: undefined };
}

function onlyImage(archive: ImageArchive): ArchivedImage {
  const [first] = archive.images;
  if (first === undefined) throw notFound(archive, undefined);
  const image = archive.images.length === 1 ? first : archive.images.find(({ names }) => names.includes('latest'));
  if (image === undefined) throw ambiguous(archive, undefined);
  return image;
}

function matches(images: readonly ArchivedImage[], selector: LayoutSelector): readonly ArchivedImage[] {
  if (selector.kind === 'digest') return images.filter(({ digest }) => digest === selector.digest);
  const text = selector.kind === 'tag' ? selector.tag : selector.name;
  const exact = images.filter(({ names }) => names.includes(text));
  if (exact.length > 0) return exact;
  const means =
    selector.kind === 'tag'
      ? ({ tag }: Reference) => tag === text
      : (reference: Reference) => isSame(reference, tryParseReference(text));
  const found = images.filter(({ names }) => names.flatMap(wholeNames).some(means));
  // One that is called nothing may be called anything.
  return found.length === 0 && images.length === 1 ? images.filter(({ names }) => names.length === 0) : found;
}

function namesOf(image: ArchivedImage, path: string): ChosenImage['references'] {
  const [whole, ...more] = unique(image.names.flatMap(wholeNames));
  if (whole !== undefined) return [whole, ...more];
  const [tag = 'latest', ...tags] = image.names.filter(isTag);
  return [fileReference(path, tag), ...tags.map((each) => fileReference(path, each))];
}

function tagNames(image: ArchivedImage, path: string, tag: string): ChosenImage['references'] {
  const whole = unique(image.names.flatMap(wholeNames));
  const tagged = whole.filter((reference) => reference.tag === tag);
  const [first, ...others] = tagged.length > 0 ? tagged : whole;
  return first === undefined ? [fileReference(path, tag)] : [first, ...others];
}

function typedName(image: ArchivedImage, path: string, name: string): ChosenImage['references'] {
  if (image.names.includes(name) && !/[:/]/.test(name)) return tagNames(image, path, name);
  const typed = tryParseReference(name);
  return typed === undefined ? namesOf(image, path) : [typed];
}

function digestNames(image: ArchivedImage | undefined, path: string, digest: Digest): ChosenImage['references'] {
  if (image !== undefined && image.names.length > 0) return namesOf(image, path);
  return [{ ...fileReference(path, 'latest'), tag: undefined, digest }];
}

/** A name that says where an image is from, or may be thought to as Docker has it; a mere tag does not. */
function wholeName(name: string): Reference | undefined {
  if (!/[:/]/.test(name)) return undefined;
  const reference = tryParseReference(name);
  return reference?.digest === undefined ? reference : undefined;
}

function wholeNames(name: string): readonly Reference[] {
  const reference = wholeName(name);
  return reference === undefined ? [] : [reference];
}

function isTag(name: string): boolean {
  return tryParseReference(`localhost/x:${name}`, { mode: 'strict' }) !== undefined;
}

function isSame(one: Reference, other: Reference | undefined): boolean {
  return other !== undefined && formatReference(one) === formatReference(other);
}

function unique(references: readonly Reference[]): readonly Reference[] {
  return [...new Map(references.map((reference) => [formatReference(reference), reference])).values()];
}

const CANDIDATES_SHOWN = 20;

function ambiguous({ name, images }: ImageArchive, selector: LayoutSelector | undefined): ConversionError {
  const what = selector === undefined ? '' : ` ${described(selector)}`;
  return new ConversionError(
    'ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_AMBIGUOUS',
    `${quote(name)} has several images${what}: ${listed(images)}`,
    { path: name },
  );
}

function notFound({ name, images }: ImageArchive, selector: LayoutSelector | undefined): ConversionError {
  const what = selector === undefined ? '' : ` ${described(selector)}: it has ${listed(images)}`;
  const text = `${quote(name)} has no image${what}`;
  return new ConversionError('ERR_RKT_DOCKER2ACI_ARCHIVE_IMAGE_NOT_FOUND', text, { path: name });
}

function described(selector: LayoutSelector): string {
  if (selector.kind === 'digest') return selector.digest;
  return quote(selector.kind === 'tag' ? selector.tag : selector.name);
}

/** Every name that can be asked for, and the digest of what has none. */
function listed(images: readonly ArchivedImage[]): string {
  const all = images.flatMap(({ names, digest }) =>
    names.length > 0 ? names.map((name) => quote(name)) : [digest === undefined ? 'one without a name' : `@${digest}`],
  );
  const more = all.length > CANDIDATES_SHOWN ? `, and ${all.length - CANDIDATES_SHOWN} more` : '';
  return `${all.slice(0, CANDIDATES_SHOWN).join(', ') || 'none'}${more}`;
}
